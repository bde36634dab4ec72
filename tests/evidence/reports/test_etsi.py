"""Signature validation reports (ETSI TS 119 102-2): of real verdicts, against the classes that pyHanko generated from the schema.

The order of the elements, which those classes do not know, stands here as the schema of v1.2.2 gives it.
"""

import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from pyhanko.generated.etsi import ts_11910202
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig

from evidence.reports import etsi
from tests.evidence.verification.pdf_exhibits import (
    AT,
    LISTS,
    MIDDLE,
    SEAL,
    SIGNED,
    STRANGER,
    Plan,
    crl,
    document,
    sign,
    stream,
    text,
    time_stamped,
    trust,
    update,
    verdict,
)

DEED = document(text("The price is 100"))
SEALED = sign(DEED)
REVOKED = crl(MIDDLE, revoked=[(SEAL, SIGNED - timedelta(days=1))])
OVERLAID = update(SEALED, {11: stream(text("The price is 900"))})

ORDER = {
    "ValidationReport": ["SignatureValidationReport", "SignatureValidationObjects", "SignatureValidator", "Signature"],
    "SignatureValidationReport": [
        "SignatureIdentifier", "ValidationConstraintsEvaluationReport", "ValidationTimeInfo", "SignersDocument", "SignatureAttributes",
        "SignerInformation", "SignatureQuality", "SignatureValidationProcess", "SignatureValidationStatus",
    ],
    "SignatureIdentifier": ["DigestAlgAndValue", "SignatureValue", "HashOnly", "DocHashOnly", "DAIdentifier"],
    "ValidationConstraintsEvaluationReport": ["SignatureValidationPolicy", "ValidationConstraint"],
    "ValidationConstraint": ["ValidationConstraintIdentifier", "ValidationConstraintParameter", "ConstraintStatus", "ValidationStatus", "Indications"],
    "ConstraintStatus": ["Status", "OverriddenBy"],
    "ValidationStatus": ["MainIndication", "SubIndication", "AssociatedValidationReportData"],
    "SignatureValidationStatus": ["MainIndication", "SubIndication", "AssociatedValidationReportData"],
    "ValidationTimeInfo": ["ValidationTime", "BestSignatureTime"],
    "BestSignatureTime": ["POETime", "TypeOfProof", "POEObject"],
    "SignersDocument": ["DigestAlgAndValue", "SignersDocumentRef"],
    "DigestAlgAndValue": ["DigestMethod", "DigestValue"],
    "SignatureValidationProcess": ["SignatureValidationProcessID", "SignatureValidationServicePolicy", "SignatureValidationPracticeStatement"],
}  # fmt: skip
"""Element -> its children in the order of the schema (TS 119 102-2 v1.2.2; XAdES for the digest)."""
REQUIRED = {
    "SignatureValidationReport": {"SignatureValidationStatus"},
    "SignatureIdentifier": {"HashOnly", "DocHashOnly"},
    "ValidationConstraint": {"ValidationConstraintIdentifier", "ConstraintStatus"},
    "ConstraintStatus": {"Status"},
    "ValidationStatus": {"MainIndication"},
    "SignatureValidationStatus": {"MainIndication"},
    "ValidationTimeInfo": {"ValidationTime", "BestSignatureTime"},
    "BestSignatureTime": {"POETime", "TypeOfProof"},
    "SignersDocument": {"DigestAlgAndValue"},
    "DigestAlgAndValue": {"DigestMethod", "DigestValue"},
}
MANY = {"SignatureValidationReport", "ValidationConstraint", "SubIndication"}

TOTAL_FAILED = {"FORMAT_FAILURE", "HASH_FAILURE", "SIG_CRYPTO_FAILURE", "REVOKED", "NOT_YET_VALID"}
INDETERMINATE = {
    "SIG_CONSTRAINTS_FAILURE", "CHAIN_CONSTRAINTS_FAILURE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", "CRYPTO_CONSTRAINTS_FAILURE", "EXPIRED",
    "NOT_YET_VALID", "POLICY_PROCESSING_ERROR", "SIGNATURE_POLICY_NOT_AVAILABLE", "TIMESTAMP_ORDER_FAILURE", "NO_SIGNING_CERTIFICATE_FOUND",
    "NO_CERTIFICATE_CHAIN_FOUND", "REVOKED_NO_POE", "REVOKED_CA_NO_POE", "OUT_OF_BOUNDS_NO_POE", "REVOCATION_OUT_OF_BOUNDS_NO_POE",
    "CRYPTO_CONSTRAINTS_FAILURE_NO_POE", "NO_POE", "TRY_LATER", "SIGNED_DATA_NOT_FOUND", "GENERIC",
}  # fmt: skip
"""EN 319 102-1 tables 5 and 6."""

FILES: dict[str, tuple[Any, Any, str, str | None]] = {
    "passed": (SEALED.data, trust(), "total-passed", None),
    "three signatures": (sign(sign(SEALED, Plan(name=b"Two")), Plan(name=b"Three")).data, trust(), "total-passed", None),
    "no proven time": (sign(DEED, Plan(stamped=None)).data, trust(), "indeterminate", "NO_POE"),
    "a time-stamp over the file": (time_stamped(DEED).data, trust(), "total-passed", None),
    "changed later": (OVERLAID.data, trust(), "total-failed", "FORMAT_FAILURE"),
    "another digest": (SEALED.data.replace(b"price is 100", b"price is 900"), trust(), "total-failed", "HASH_FAILURE"),
    "revoked": (SEALED.data, trust(lists=(LISTS[0], REVOKED)), "indeterminate", "REVOKED_NO_POE"),
    "no list": (SEALED.data, trust(lists=()), "indeterminate", "TRY_LATER"),
    "unknown root": (sign(DEED, Plan(signer=STRANGER, embed=(STRANGER.der,))).data, trust(), "indeterminate", "NO_CERTIFICATE_CHAIN_FOUND"),
    "unknown format": (sign(DEED, Plan(subfilter=b"GM.SealSign")).data, trust(), "indeterminate", "GENERIC"),
    "empty": (sign(DEED, Plan(value=lambda _: b"")).data, trust(), "total-failed", "FORMAT_FAILURE"),
    "objects behind the end": (SEALED.data + b"4 0 obj\n[]\nendobj\n", trust(), "total-failed", "FORMAT_FAILURE"),
}


@pytest.fixture(params=FILES.values(), ids=list(FILES))
def report(request: pytest.FixtureRequest) -> tuple[bytes, dict[str, Any], str, str | None]:
    data, store, main, sub = request.param
    found = verdict({"a<b>&.pdf": data}, store).as_dict()
    [(name, xml)] = etsi.reports(found, label="1")
    assert name == "etsi-1-1.xml"
    return xml, found, main, sub


def local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def test_it_is_what_the_schema_says(report: tuple[bytes, dict[str, Any], str, str | None]) -> None:
    """Strictly: an element or attribute that the generated classes do not know is an error, and so is a value of another type."""
    xml, found, main, sub = report
    strict = ParserConfig(fail_on_unknown_properties=True, fail_on_unknown_attributes=True, fail_on_converter_warnings=True)
    read = XmlParser(config=strict).from_bytes(xml, ts_11910202.ValidationReport)
    assert read.signature_validation_report
    for one in read.signature_validation_report:
        assert not one.any_element
        assert one.validation_time_info.validation_time.to_datetime() == AT
        assert one.signers_document.digest_alg_and_value.digest_value.value.hex() == found["sources"][0]["sha256"]


def test_its_elements_stand_in_order(report: tuple[bytes, dict[str, Any], str, str | None]) -> None:
    for element in ElementTree.fromstring(report[0]).iter():
        children = [local(c) for c in element]
        if not children:
            assert local(element) == "DigestMethod" or (element.text or "").strip(), local(element)
            continue
        order = ORDER[local(element)]
        places = [order.index(c) for c in children]
        assert places == sorted(places)
        assert REQUIRED.get(local(element), set()) <= set(children)
        repeated = {c for c in children if children.count(c) > 1}
        assert repeated <= MANY


def test_its_words_are_those_of_the_standard(report: tuple[bytes, dict[str, Any], str, str | None]) -> None:
    xml, found, main, sub = report
    at = f"{{{etsi.NAMESPACE}}}"
    root = ElementTree.fromstring(xml)
    whole = [r.find(f"{at}SignatureValidationStatus") for r in root]
    for status in root.iter():
        if local(status) not in ("SignatureValidationStatus", "ValidationStatus"):
            continue
        names = ("total-passed", "total-failed") if local(status) == "SignatureValidationStatus" else ("passed", "failed")
        told = re.fullmatch(r"urn:etsi:019102:mainindication:(.+)", status.findtext(f"{at}MainIndication") or "")
        subs = [s.text.removeprefix("urn:etsi:019102:subindication:") for s in status.findall(f"{at}SubIndication")]
        assert told is not None and told[1] in (*names, "indeterminate")
        allowed = {names[0]: set(), names[1]: TOTAL_FAILED, "indeterminate": INDETERMINATE}[told[1]]
        assert set(subs) <= allowed
        assert bool(subs) == (told[1] != names[0])
    assert whole[0].findtext(f"{at}MainIndication") == f"urn:etsi:019102:mainindication:{main}"
    assert whole[0].findtext(f"{at}SubIndication") == (sub and f"urn:etsi:019102:subindication:{sub}")
    assert {e.text for e in root.iter(f"{at}Status")} == {"urn:etsi:019102:constraintStatus:applied"}
    assert {e.text for e in root.iter(f"{at}TypeOfProof")} == {"urn:etsi:019102:poetype:validation"}


def times(xml: bytes) -> list[str | None]:
    at = f"{{{etsi.NAMESPACE}}}"
    return [e.text for e in ElementTree.fromstring(xml).iter(f"{at}POETime")]


def test_the_best_time_is_the_proven_one() -> None:
    stamped, bare = (verdict({"a.pdf": sign(DEED, plan).data}).as_dict() for plan in (Plan(), Plan(stamped=None)))
    [(_, xml)] = etsi.reports(stamped, label="1")
    assert times(xml) == ["2026-06-01T12:00:01.000Z"]
    [(_, xml)] = etsi.reports(bare, label="1")
    assert times(xml) == ["2026-11-22T12:00:00.000Z"]


def test_a_file_named_like_a_signature_of_another_gets_none_of_its_answers() -> None:
    found = verdict({"a.pdf": SEALED.data, "a.pdf · b.pdf": OVERLAID.data}).as_dict()
    reports = [xml.decode() for _, xml in etsi.reports(found, label="1")]
    assert sorted("total-failed" in xml for xml in reports) == [False, True]
    assert all(xml.count("<vr:SignatureValidationReport>") == 1 for xml in reports)
