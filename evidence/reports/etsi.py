"""Annex D: a signature validation report in the form of ETSI TS 119 102-2 (namespace of v1.2.1), one for each signed file.

It is composed from the findings of the stored verdict, not by validating again: the court's report must say what the verdict says, and a
party's file is opened in the jail only. It therefore states indications, the constraints that were checked and the moments, and leaves out
what a verdict does not keep (certificates and revocation data as objects, the value of the signature and the digest of what it signed: the
digest that stands here is that of the file as it was received).

A signature is `total-passed`, `total-failed` or `indeterminate`, a single constraint `passed`, `failed` or `indeterminate` (§4.3.4, §4.3.5.4).
Whatever is not passed names a sub-indication that the standard knows for it; our own reasons stand in the constraint they belong to.
"""

import base64
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from .printable import NAME_MAX, clean

NAMESPACE = "http://uri.etsi.org/19102/v1.2.1#"
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
MAIN = "urn:etsi:019102:mainindication:"
SUB = "urn:etsi:019102:subindication:"
STATUS = "urn:etsi:019102:constraintStatus:"
PROCESS = "urn:etsi:019102:validationprocess:LTA"
PROOF = "urn:etsi:019102:poetype:validation"
CONSTRAINT = "urn:mingjian:check:"
SUBS = {
    "FAILED": frozenset("FORMAT_FAILURE HASH_FAILURE SIG_CRYPTO_FAILURE REVOKED NOT_YET_VALID".split()),
    "INDETERMINATE": frozenset(
        "SIG_CONSTRAINTS_FAILURE CHAIN_CONSTRAINTS_FAILURE CERTIFICATE_CHAIN_GENERAL_FAILURE CRYPTO_CONSTRAINTS_FAILURE EXPIRED"
        " NOT_YET_VALID POLICY_PROCESSING_ERROR SIGNATURE_POLICY_NOT_AVAILABLE TIMESTAMP_ORDER_FAILURE NO_SIGNING_CERTIFICATE_FOUND"
        " NO_CERTIFICATE_CHAIN_FOUND REVOKED_NO_POE REVOKED_CA_NO_POE OUT_OF_BOUNDS_NO_POE REVOCATION_OUT_OF_BOUNDS_NO_POE"
        " CRYPTO_CONSTRAINTS_FAILURE_NO_POE NO_POE TRY_LATER SIGNED_DATA_NOT_FOUND".split()
    ),
}
"""Sub-indications of ETSI EN 319 102-1 by the indication they belong to."""
OTHERWISE = {"FAILED": "FORMAT_FAILURE", "INDETERMINATE": "GENERIC"}
"""For reasons of our own: a file that was changed after signing is no longer of the signed form (so does EU DSS, too); `GENERIC` is the
standard's word for any other cause."""
WHOLE = {"PASSED": "total-passed", "FAILED": "total-failed", "INDETERMINATE": "indeterminate"}
ALONE = {"PASSED": "passed", "FAILED": "failed", "INDETERMINATE": "indeterminate"}
TIMES = ("TIME.TSA", "SIG.LONG_TERM")
"""Checks that, passed, state the time by which the signature existed."""


def reports(document: Mapping[str, Any], *, label: str) -> tuple[tuple[str, bytes], ...]:
    """(name, XML) for each source with signatures that were looked at. `label` goes into the name of the file."""
    found = []
    for n, source in enumerate((s for s in document["sources"] if _signatures(document, s["name"])), start=1):
        found.append((f"etsi-{label}-{n}.xml", _xml(document, source)))
    return tuple(found)


def _signatures(document: Mapping[str, Any], name: str) -> dict[str, list[Mapping[str, Any]]]:
    """Subject of a signature (`file · field`) -> its findings, and after them those on the whole file, which concern each."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    names = [s["name"] for s in document["sources"]]
    about = [f for f in document["findings"] if f["check"].startswith("SIG.") or f["check"] == "TIME.TSA"]
    for finding in about:
        # A party may give one file the name of another with something behind it.
        owners = [n for n in names if finding["subject"] == n or finding["subject"].startswith(f"{n} · ")]
        if max(owners, key=len, default=None) == name and finding["subject"] != name:
            found.setdefault(finding["subject"], []).append(finding)
    whole = [f for f in about if f["subject"] == name]
    return {subject: [*findings, *whole] for subject, findings in found.items()}


def _xml(document: Mapping[str, Any], source: Mapping[str, Any]) -> bytes:
    ElementTree.register_namespace("vr", NAMESPACE)
    ElementTree.register_namespace("ds", XMLDSIG)
    root = ElementTree.Element(_name("ValidationReport"))
    for subject, findings in _signatures(document, source["name"]).items():
        report = _put(root, "SignatureValidationReport")
        identifier = _put(report, "SignatureIdentifier")
        _put(identifier, "HashOnly", "false")
        _put(identifier, "DocHashOnly", "false")
        _put(identifier, "DAIdentifier", clean(subject, NAME_MAX))
        constraints = _put(report, "ValidationConstraintsEvaluationReport")
        for finding in findings:
            one = _put(constraints, "ValidationConstraint")
            _put(one, "ValidationConstraintIdentifier", CONSTRAINT + finding["check"])
            _put(_put(one, "ConstraintStatus"), "Status", STATUS + "applied")
            _status(_put(one, "ValidationStatus"), [finding], ALONE)
        times = _put(report, "ValidationTimeInfo")
        _put(times, "ValidationTime", document["at"])
        best = _put(times, "BestSignatureTime")
        _put(best, "POETime", _best(findings) or document["at"])
        _put(best, "TypeOfProof", PROOF)
        signed = _put(report, "SignersDocument")
        _put_digest(signed, source["sha256"])
        _put(_put(report, "SignatureValidationProcess"), "SignatureValidationProcessID", PROCESS)
        _status(_put(report, "SignatureValidationStatus"), findings, WHOLE)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _best(findings: list[Mapping[str, Any]]) -> str | None:
    """By when the signature existed, where a pinned authority says so."""
    return next((f["actual"] for f in findings if f["check"] in TIMES and f["outcome"] == "PASSED" and f["actual"]), None)


def _status(element: ElementTree.Element, findings: list[Mapping[str, Any]], words: Mapping[str, str]) -> None:
    deciding = [f for f in findings if f["bearing"] != "ADVISORY"] or findings
    outcomes = {f["outcome"] for f in deciding}
    worst = next((o for o in ("FAILED", "INDETERMINATE") if o in outcomes), "PASSED")
    _put(element, "MainIndication", MAIN + words[worst])
    if worst == "PASSED":
        return
    reasons = dict.fromkeys(f["reason"] for f in deciding if f["outcome"] == worst)
    for reason in [r for r in reasons if r in SUBS[worst]] or [OTHERWISE[worst]]:
        _put(element, "SubIndication", SUB + reason)


def _put_digest(parent: ElementTree.Element, sha256: str) -> None:
    both = _put(parent, "DigestAlgAndValue")
    ElementTree.SubElement(both, f"{{{XMLDSIG}}}DigestMethod", Algorithm=SHA256)
    value = ElementTree.SubElement(both, f"{{{XMLDSIG}}}DigestValue")
    value.text = base64.b64encode(bytes.fromhex(sha256)).decode()


def _put(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, _name(name))
    element.text = text
    return element


def _name(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
