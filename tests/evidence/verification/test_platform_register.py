"""The court's register of platforms beside a certificate: who is listed, since when, and hosts that only look like a listed one."""

from typing import Any

import pytest

from evidence.verification import TrustError, TrustStore
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Bearing
from tests.anchor_packs import write_pack
from tests.evidence.verification.fisco3_exhibits import examine, finding
from tests.evidence.verification.platform_statements import STATEMENTS
from tests.evidence.verification.test_platform_certificate_forms import exhibit

OPEN, PASSED = "INDETERMINATE", "PASSED"

ENTRY = {
    "id": "btoe", "title": {"zh": "腾讯云 BTOE", "en": "Tencent BTOE"}, "operator": "腾讯云计算（北京）有限责任公司",
    "hosts": ["btoe.example.cn"], "registration": "网信备440301190000000000号", "checked_on": "2026-06-01",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "outcome", "note"),
    [
        ({}, PASSED, None),
        ({"checked_on": "2026-05-26"}, PASSED, None),  # 180 days before the verification
        ({"checked_on": "2026-05-25"}, PASSED, "REGISTRY_STALE:2026-05-25"),
        ({"checked_on": None}, PASSED, "REGISTRY_UNDATED"),
        ({"id": "another"}, OPEN, None),
    ],
)
def test_the_register_and_its_age(changes: dict[str, Any], outcome: str, note: str | None, tmp_path: Any) -> None:
    store = TrustStore.load(write_pack(tmp_path, platforms=[{**ENTRY, **changes}]))
    verdict = examine(exhibit(STATEMENTS["btoe certificate"].value), store)
    found = finding(verdict, "CERT.REGISTRY")
    assert (found.outcome.value, found.notes, found.bearing) == (outcome, (note,) if note else (), Bearing.ADVISORY)
    if outcome == PASSED:
        assert found.actual == "腾讯云计算（北京）有限责任公司 · 网信备440301190000000000号"
    else:
        assert found.reason is Reason.PLATFORM_NOT_IN_POLICY


@pytest.mark.parametrize(
    "address",
    [
        "https://btoe.exampIe.cn/",  # capital I
        "https://btое.example.cn/",  # Cyrillic о and е
        "https://xn--bt-nlc0e.example.cn/".replace("xn--bt-nlc0e", "xn--bt-" + "btое".encode("punycode").decode().partition("-")[2]),
        "https://btoe-example.cn/",
        "https://btoe.exarnple.cn/",  # rn for m
        "https://bt0e.example.cn/",
        "https://btoe.example.cn.evil.com/",
        "https://btoe.example.cn@evil.com/",
        "https://btoe。example.cn/",
        "https://ｂtoe.example.cn/",
        "https://btoe.example.cn\u200b/",
    ],
)
def test_hosts_that_only_look_like_a_registered_one(address: str, tmp_path: Any) -> None:
    store = TrustStore.load(write_pack(tmp_path, platforms=[ENTRY]))
    value = {"Response": {"EvidenceId": "E1", "EvidenceCert": address}}
    found = finding(examine(exhibit(value), store), "CERT.HOST")
    assert (found.outcome.value, found.reason) == (OPEN, Reason.CERT_HOST_MISMATCH)
    assert found.notes == ("LOOKALIKE_HOST:btoe.example.cn",)


def test_a_host_that_looks_like_none(tmp_path: Any) -> None:
    store = TrustStore.load(write_pack(tmp_path, platforms=[ENTRY, {**ENTRY, "id": "other", "hosts": ["n.example.org"]}]))
    for address, outcome, note in (
        ("https://elsewhere.example.net/", OPEN, ()),
        ("https://www.btoe.example.cn/", OPEN, ()),  # another host, but not made to look like one
        ("https://n.example.org/1", PASSED, ("HOST_OF_OTHER_PLATFORM:other",)),
        ("https://btoe.example.cn/1", PASSED, ()),
    ):
        found = finding(examine(exhibit({"Response": {"EvidenceId": "E1", "EvidenceCert": address}}), store), "CERT.HOST")
        assert (found.outcome.value, found.notes) == (outcome, note)


@pytest.mark.parametrize(
    "changes",
    [
        {"hosts": ["BTOE.example.cn"]}, {"hosts": ["https://btoe.example.cn"]}, {"hosts": ["btoe.example.cn/x"]},
        {"hosts": ["btое.example.cn"]}, {"checked_on": "yesterday"}, {"checked_on": "20260601"},
        {"depositors": ["12"]}, {"depositors": "x"}, {"keys": []},
    ],
)  # fmt: skip
def test_a_register_that_could_be_read_in_two_ways_is_refused(changes: dict[str, Any], tmp_path: Any) -> None:
    with pytest.raises(TrustError):
        TrustStore.load(write_pack(tmp_path, platforms=[{**ENTRY, **changes}]))
