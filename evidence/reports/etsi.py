"""Annex D: a signature validation report in the form of ETSI TS 119 102-2 (namespace of v1.2.1), one for each signed file.

It is composed from the findings of the stored verdict, not by validating again: the court's report must say what the verdict says, and a
party's file is opened in the jail only. It therefore states indications, the constraints that were checked and the moment, and leaves out
what a verdict does not keep (certificates and revocation data as objects, the value of the signature).
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
STANDARD = frozenset(
    "FORMAT_FAILURE HASH_FAILURE SIG_CRYPTO_FAILURE REVOKED EXPIRED NOT_YET_VALID SIG_CONSTRAINTS_FAILURE CHAIN_CONSTRAINTS_FAILURE"
    " CERTIFICATE_CHAIN_GENERAL_FAILURE CRYPTO_CONSTRAINTS_FAILURE POLICY_PROCESSING_ERROR SIGNATURE_POLICY_NOT_AVAILABLE"
    " TIMESTAMP_ORDER_FAILURE NO_SIGNING_CERTIFICATE_FOUND NO_CERTIFICATE_CHAIN_FOUND REVOKED_NO_POE REVOKED_CA_NO_POE"
    " OUT_OF_BOUNDS_NO_POE REVOCATION_OUT_OF_BOUNDS_NO_POE CRYPTO_CONSTRAINTS_FAILURE_NO_POE NO_POE TRY_LATER"
    " SIGNED_DATA_NOT_FOUND".split()
)
"""Sub-indications of ETSI EN 319 102-1; reasons of our own are given as the constraint that carries them."""


def reports(document: Mapping[str, Any], *, label: str) -> tuple[tuple[str, bytes], ...]:
    """(name, XML) for each source with signatures that were looked at. `label` goes into the name of the file."""
    found = []
    for n, source in enumerate((s for s in document["sources"] if _signatures(document, s["name"])), start=1):
        found.append((f"etsi-{label}-{n}.xml", _xml(document, source)))
    return tuple(found)


def _signatures(document: Mapping[str, Any], name: str) -> dict[str, list[Mapping[str, Any]]]:
    """Subject of a signature (`file · field`) -> its findings."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for finding in document["findings"]:
        about = finding["check"].startswith("SIG.") or finding["check"] == "TIME.TSA"
        if about and finding["subject"].startswith(f"{name} · "):
            found.setdefault(finding["subject"], []).append(finding)
    return found


def _xml(document: Mapping[str, Any], source: Mapping[str, Any]) -> bytes:
    ElementTree.register_namespace("vr", NAMESPACE)
    ElementTree.register_namespace("ds", XMLDSIG)
    root = ElementTree.Element(_name("ValidationReport"))
    for subject, findings in _signatures(document, source["name"]).items():
        report = _put(root, "SignatureValidationReport")
        identifier = _put(report, "SignatureIdentifier")
        _put_digest(identifier, source["sha256"])
        _put(identifier, "HashOnly", "false")
        _put(identifier, "DocHashOnly", "false")
        _put(identifier, "DAIdentifier", clean(subject, NAME_MAX))
        constraints = _put(report, "ValidationConstraintsEvaluationReport")
        for finding in findings:
            one = _put(constraints, "ValidationConstraint")
            _put(one, "ValidationConstraintIdentifier", CONSTRAINT + finding["check"])
            _put(_put(one, "ConstraintStatus"), "Status", STATUS + "applied")
            _status(_put(one, "ValidationStatus"), [finding])
        times = _put(report, "ValidationTimeInfo")
        _put(times, "ValidationTime", document["at"])
        best = _put(times, "BestSignatureTime")
        _put(best, "POETime", document["at"])
        _put(best, "TypeOfProof", PROOF)
        signed = _put(report, "SignersDocument")
        _put_digest(signed, source["sha256"])
        _put(_put(report, "SignatureValidationProcess"), "SignatureValidationProcessID", PROCESS)
        _status(_put(report, "SignatureValidationStatus"), findings)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _status(element: ElementTree.Element, findings: list[Mapping[str, Any]]) -> None:
    outcomes = {f["outcome"] for f in findings if f["bearing"] != "ADVISORY"} or {f["outcome"] for f in findings}
    main = "total-failed" if "FAILED" in outcomes else "indeterminate" if "INDETERMINATE" in outcomes else "total-passed"
    _put(element, "MainIndication", MAIN + main)
    worst = "FAILED" if "FAILED" in outcomes else "INDETERMINATE"
    for reason in dict.fromkeys(f["reason"] for f in findings if f["outcome"] == worst and f["reason"] in STANDARD):
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
