"""Snapshots on real and hostile files, with the verdicts that their READMEs and the specification state.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says. Each row names what must be answered; questions that a
row does not name must not be FAILED, unless the row says `loose`.
"""

import base64
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evidence.verification import TrustStore, Verdict
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import wacz_auth
from evidence.verification.verdict import Outcome, Overall
from tests.evidence.verification.snapshot_exhibits import (
    AT,
    answer,
    finding,
    findings,
    notes,
    record,
    trust,
    verified,
)

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors")
SNAPSHOTS = VECTORS / "snapshots"
HOSTILE = VECTORS / "hostile" / "hostile"

if not SNAPSHOTS.is_dir() or not HOSTILE.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)

PASSED, FAILED, OPEN = Outcome.PASSED, Outcome.FAILED, Outcome.INDETERMINATE
OK = (PASSED, None)
Answers = Mapping[str, tuple[Outcome, Reason | None]]


def files(folder: str) -> list[Path]:
    return sorted(p for p in (SNAPSHOTS / folder).iterdir() if not p.name.startswith("_") and p.name != "LICENSE")


def failed_checks(verdict: Verdict) -> set[str]:
    return {f.check for f in verdict.findings if f.outcome is FAILED}


def check(verdict: Verdict, wanted: Answers, *, loose: bool = False) -> None:
    assert {c: answer(verdict, c) for c in wanted} == wanted
    if not loose:
        assert failed_checks(verdict) == {c for c, (outcome, _) in wanted.items() if outcome is FAILED}
    assert verdict.overall is not Overall.CONSISTENT
    assert (verdict.overall is Overall.INCONSISTENT) == bool(failed_checks(verdict))


# ── WARC, made for the edges ──────────────────────────────────────────────────────────────────────────────────────────

EDGES = SNAPSHOTS / "warc-edge-generated"
EXPECTED: dict[str, list[str]] = json.loads((EDGES / "_expected.json").read_bytes())
BLOCK, PAYLOAD, FRAMING, HEADERS = (f"WARC.{n}" for n in ("BLOCK_DIGEST", "PAYLOAD_DIGEST", "FRAMING", "HEADERS"))
HASH = (FAILED, Reason.HASH_FAILURE)
FORM = (FAILED, Reason.FORMAT_FAILURE)
CUT = (FAILED, Reason.TRUNCATED)

EXACT: dict[str, Answers] = {
    "alg_wrong_length.warc": {"WARC.DIGEST_HEADERS": (FAILED, Reason.DIGEST_MALFORMED)},
    "combo_dup_block_bad_then_good.warc": {"WARC.DIGEST_HEADERS": (FAILED, Reason.DIGEST_AMBIGUOUS)},
    "combo_block_ok_payload_bad.warc": {BLOCK: OK, PAYLOAD: HASH},
    "combo_block_bad_payload_ok.warc": {BLOCK: HASH, PAYLOAD: OK},
    "combo_payload_only_ok.warc": {PAYLOAD: OK},
    "combo_lowercase_header_names_bad.warc": {BLOCK: HASH},
    "ce_gzip_payload_over_decoded.warc": {BLOCK: OK, PAYLOAD: HASH},
    "resource_payload_bad.warc": {BLOCK: OK, PAYLOAD: HASH},
    "warcinfo_bad_block.warc": {BLOCK: HASH},
    "unknown_type_bad_block.warc": {BLOCK: HASH},
    "revisit_block_bad.warc": {BLOCK: HASH},
    "warc_lf_headers.warc": {HEADERS: FORM},
    "warc_lf_headers_bad_digest.warc": {HEADERS: FORM, BLOCK: HASH},
    "ver_WARC_1.0sp.warc": {HEADERS: FORM},
    "hdr_space_before_colon.warc": {HEADERS: FORM, BLOCK: HASH},
    "len_too_long_eof.warc": {FRAMING: CUT, BLOCK: HASH},
    "len_too_short.warc": {FRAMING: FORM, BLOCK: HASH},
    "len_too_short_digest_matches_short.warc": {FRAMING: FORM, BLOCK: OK},
    "garbage_between_hides_bad.warc": {FRAMING: FORM, BLOCK: HASH},
    "garbage_end.warc": {FRAMING: FORM, BLOCK: OK},
    "gz_single_member_two.warc.gz": {BLOCK: HASH, "GZ.ALIGNED": OK},
    "gz_crc_bad_last.warc.gz": {"GZ.MEMBERS": (FAILED, Reason.GZIP_CHECK_FAILURE), BLOCK: OK},
    "gz_truncated_last.warc.gz": {
        "GZ.MEMBERS": CUT,
        FRAMING: CUT,
        BLOCK: HASH,
        PAYLOAD: HASH,
    },
    "gz_truncated_trailer.warc.gz": {"GZ.MEMBERS": CUT, BLOCK: OK},
    "gz_garbage_between.warc.gz": {"GZ.ONLY_MEMBERS": FORM, FRAMING: FORM, BLOCK: HASH},
    "gz_then_plain.warc.gz": {"GZ.ONLY_MEMBERS": FORM, FRAMING: FORM, BLOCK: HASH},
    "plain_then_gz.warc": {"GZ.ONLY_MEMBERS": FORM, FRAMING: FORM, BLOCK: HASH},
    **{f"len_{n}.warc": {FRAMING: FORM, BLOCK: HASH} for n in ("huge", "negative", "plus", "hex", "ws", "underscore", "missing")},
}
"""Files whose word in `_expected.json` is a failure: which questions fail, and that no other does."""

WORDS: dict[str, Answers] = {
    "WEAK": {BLOCK: (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)},
    "UNKNOWN": {"WARC.DIGEST_HEADERS": (OPEN, Reason.DIGEST_ALGORITHM_UNKNOWN)},
    "NONE": {"WARC.COVERAGE": (OPEN, Reason.NO_DIGEST)},
    "double gzip": {"WARC.RECOGNISED": (OPEN, Reason.UNSUPPORTED_FORMAT)},
    "NONCONFORM": {BLOCK: OK, "GZ.ALIGNED": OK},
    "trailing zeros": {BLOCK: OK, "GZ.ONLY_MEMBERS": OK},
    "PASS(payload only)": {PAYLOAD: OK},
    "PASS(block)": {BLOCK: OK},
    "PASS(block) payload N/A": {BLOCK: OK},
}


@pytest.mark.parametrize("path", files("warc-edge-generated"), ids=lambda p: p.name)
def test_warc_edges(path: Path) -> None:
    verdict, word = verified(path), EXPECTED[path.name][0]
    if word == "NOT-A-WARC":
        assert verdict.sources[0].format == "unknown" and verdict.overall is Overall.INDETERMINATE
    elif word == "PASS or LIMIT":
        assert {f.reason for f in verdict.findings if f.outcome is not PASSED} <= {Reason.RESOURCE_LIMIT}
    elif path.name in EXACT:
        check(verdict, EXACT[path.name])
    elif word == "PASS":
        check(verdict, {BLOCK: OK})
        assert all(f.outcome is PASSED for f in verdict.findings), verdict.findings
    else:
        check(verdict, WORDS[word])


def test_every_word_of_the_expectations_is_understood() -> None:
    failing = {n for n, (w, _) in EXPECTED.items() if re.search(r"FAIL|MALFORMED|TRUNCATED", w)}
    assert failing - set(EXACT) == {"hdr_100k_headers.warc"}  # too large to be stored: built in the next test
    known = {"PASS", "PASS or LIMIT", "NOT-A-WARC", *WORDS}
    assert {w for n, (w, _) in EXPECTED.items() if n not in failing} <= known


def test_a_hundred_thousand_header_fields() -> None:
    verdict = verified(("hdr_100k_headers.warc", record(fields=[(f"X-{n}", "y") for n in range(100_000)])))
    assert answer(verdict, HEADERS) == (OPEN, Reason.RESOURCE_LIMIT)


def test_notes_of_the_edges() -> None:
    for name, check_, note in (
        ("te_chunked_payload_over_dechunked.warc", PAYLOAD, "PAYLOAD_DECHUNKED:1"),
        ("ce_gzip_payload_over_decoded.warc", PAYLOAD, "PAYLOAD_OVER_DECODED_CONTENT:1"),
        ("gz_single_member_two_ok.warc.gz", "GZ.ALIGNED", "GZIP_NOT_PER_RECORD"),
        ("gz_trailing_zeros.warc.gz", "GZ.ONLY_MEMBERS", "TRAILING_ZERO_PADDING"),
        ("alg_sha-256_hex.warc", "WARC.DIGEST_HEADERS", "DIGEST_LABEL_HYPHEN:2"),
        ("garbage_between_hides_bad.warc", BLOCK, "RECORDS_MISMATCHED:1"),
    ):
        assert note in notes(verified(EDGES / name), check_)


# ── WARC, found in the world ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Real:
    """`block`, `payload`: records that match; `open_`: questions that stay open; `fails`: questions that fail."""

    block: int | None
    payload: int | None
    open_: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


REVISITS = ("WARC.REVISITS",)
REAL: dict[str, Real] = {
    "20130729-heritrix-original.warc.gz": Real(None, 1),
    "20130729-heritrix-revisit-with-http-headers.warc.gz": Real(None, None, REVISITS),
    "20141124-heritrix-server-not-modified.warc.gz": Real(None, None, REVISITS, (), ("IRREGULAR_RECORD_TERMINATOR:1",)),
    "20141129-heritrix-original.warc.gz": Real(None, 1),
    "20141129-heritrix-revisit-with-http-headers-and-new-warc-headers.warc.gz": Real(None, None, REVISITS),
    "bad.arc": Real(None, None, (), ("WARC.RECOGNISED",)),
    "example-bad-non-chunked.warc.gz": Real(1, 1, (), (BLOCK,), ("GZIP_NOT_PER_RECORD",)),
    "example-bad.warc.gz.bad": Real(None, 2, (), (), ("GZIP_NOT_PER_RECORD",)),
    "example-digest.warc": Real(4, 3, (), ("WARC.DIGEST_HEADERS",)),
    "example-iana.org-chunked.warc": Real(2, 1),
    "example-resource.warc.gz": Real(1, 1),
    "example-space-in-target-uri.warc.gz": Real(1, None, (), (), ("ODD_TARGET_URI:1",)),
    "example-trunc.warc": Real(0, 0, (), (FRAMING, BLOCK, PAYLOAD)),
    "example-wget-bad-target-uri.warc.gz": Real(6, 1, (), (), ("ODD_TARGET_URI:5",)),
    "example-wrong-chunks.warc.gz": Real(1, 2, (), ("GZ.ALIGNED", BLOCK)),
    "example.arc.gz": Real(None, None, ("WARC.RECOGNISED",)),
    "example.warc": Real(2, 1),
    "example.warc.gz": Real(4, 3),
    "hello-world.warc": Real(6, 1),
    "hello-world.warc.gz": Real(6, 1),
    "jswacz_lil-projects.warc.gz": Real(57, 27, (), (), ("PAYLOAD_AS_STORED:19", "PAYLOAD_DECHUNKED:8")),
    "jwarc_cc.warc.gz": Real(1, 1),
    "jwarc_gzip_extra_sl.warc.gz": Real(1, None),
    "perma_archive.warc.gz": Real(4, 2),
    "post-test.warc.gz": Real(6, 3),
    "pywacz_example-iana.warc": Real(82, 82, (), (), ("PAYLOAD_NOT_CONTAINED:34", "DIGEST_LABEL_HYPHEN:34")),
    "pywacz_example-warcinfo-metadata.warc": Real(2, 2),
    "rwp_netpreserve-twitter.warc": Real(
        260, 290, (BLOCK,), (), ("KNOWN_WRITER_DEFECT:webrecorder-block-over-payload", "RECORDS_WITH_DEFECT:42")
    ),
    "warciojs_example-bad-length.warc": Real(0, 0, (), (FRAMING, BLOCK, PAYLOAD)),
    "warciojs_example-url-agnostic-revisit.warc.gz": Real(
        None, None, REVISITS, (), ("IRREGULAR_RECORD_TERMINATOR:1",)
    ),
    "warciojs_redirect.warc": Real(2, 2),
}
"""Counts: `_digest_interpretation.txt`, and for revisits the specification. `example-wrong-chunks` and `example-bad-non-chunked`
also hold a block that is not what its digest says (counted by hand: the first is one byte short, the second a changed revisit)."""


@pytest.mark.parametrize("path", files("warc-real"), ids=lambda p: p.name)
def test_warc_of_the_world(path: Path) -> None:
    verdict, wanted = verified(path), REAL[path.name]
    assert failed_checks(verdict) == set(wanted.fails)
    assert {f.check for f in verdict.findings if f.outcome is OPEN} == set(wanted.open_)
    for check_, count in ((BLOCK, wanted.block), (PAYLOAD, wanted.payload)):
        said = notes(verdict, check_)
        assert (f"RECORDS_MATCHED:{count}" in said) if count is not None else not said
    everything = {n for f in verdict.findings for n in f.notes}
    assert set(wanted.notes) <= everything
    assert verdict.overall is (Overall.INCONSISTENT if wanted.fails else Overall.INDETERMINATE)


def test_a_revisit_of_the_world_and_its_original_in_one_exhibit() -> None:
    """The digest of the 2013 revisit equals that of the original beside it."""
    folder = SNAPSHOTS / "warc-real"
    pair = [folder / f"20130729-heritrix-{n}.warc.gz" for n in ("original", "revisit-with-http-headers")]
    reasons = {f.reason for f in findings(verified(*pair), "WARC.REVISITS")}
    assert Reason.HASH_FAILURE not in reasons


def test_the_known_defect_of_webrecorder_when_a_court_accepts_it() -> None:
    court = trust(policy={"accept_writer_defects": ["webrecorder-block-over-payload"]})
    verdict = verified(SNAPSHOTS / "warc-real" / "rwp_netpreserve-twitter.warc", store=court)
    assert answer(verdict, BLOCK) == OK


# ── WACZ ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

WACZ = SNAPSHOTS / "wacz-real"
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


def signed_data() -> dict[str, Any]:
    with zipfile.ZipFile(WACZ / "valid_signed_example_1.wacz") as archive:
        return json.loads(archive.read("datapackage-digest.json"))["signedData"]  # type: ignore[no-any-return]


def court() -> TrustStore:
    """A court that has pinned ISRG Root X1 (in its cross-signed form) and the root of FreeTSA."""
    signed = signed_data()
    return trust(
        web=[PEM.findall(signed["domainCert"])[-1].encode()], tsa=[PEM.findall(signed["timestampCert"])[-1].encode()]
    )


INTACT, DEFECT = "INTEGRITY_INTACT", "INTEGRITY_KNOWN_WRITER_DEFECT"
UNSIGNED = {"WAUTH.DIGEST": (OPEN, Reason.NOT_SIGNED)}
JS_WACZ = {**UNSIGNED, "WACZ.HASHES": (OPEN, Reason.KNOWN_WRITER_DEFECT)}
PACKAGES: dict[str, tuple[Answers, str, str]] = {
    "valid_example_1.wacz": (UNSIGNED, INTACT, "SIGNER_NONE"),
    "valid_example_2.wacz": (UNSIGNED, INTACT, "SIGNER_NONE"),
    "scoop_example.com.wacz": (UNSIGNED, INTACT, "SIGNER_NONE"),
    "scoop_noarchive.netlify.app.wacz": (UNSIGNED, INTACT, "SIGNER_NONE"),
    "rwp_example.wacz": ({"WAUTH.SIGNATURE": OK, "WACZ.INDEX": OK}, INTACT, "SIGNER_ANONYMOUS_KEY:"),
    "rwp_iframetest.wacz": ({"WAUTH.SIGNATURE": OK, "WACZ.INDEX": OK}, INTACT, "SIGNER_ANONYMOUS_KEY:"),
    "scoop_gh-example.wacz": (JS_WACZ, DEFECT, "SIGNER_NONE"),
    "warcbench_example.com.wacz": (JS_WACZ, DEFECT, "SIGNER_NONE"),
    "warcbench_before.wacz": (JS_WACZ, DEFECT, "SIGNER_NONE"),
    "warcbench_after.wacz": (JS_WACZ, DEFECT, "SIGNER_NONE"),
    "invalid_example_1.wacz": (
        {
            **UNSIGNED,
            "WACZ.LISTED": (FAILED, Reason.RESOURCE_MISSING),
            "WACZ.UNLISTED": (FAILED, Reason.UNLISTED_MEMBER),
        },
        "INTEGRITY_INCOMPLETE",
        "SIGNER_NONE",
    ),
    "waczsigning_ill-digest.wacz": (
        {**UNSIGNED, "WACZ.LISTED": (OPEN, Reason.PROOF_NOT_SUPPLIED)},
        INTACT,
        "SIGNER_NONE",
    ),
    "invalid_signed_example_1.wacz": (
        {
            "WAUTH.DIGEST": OK,
            "WAUTH.SIGNATURE": OK,
            "WAUTH.DOMAIN": OK,
            "WAUTH.TOKEN": OK,
            "WAUTH.CHAIN": (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND),
        },
        INTACT,
        "SIGNER_UNTRUSTED_ROOT",
    ),
}


@pytest.mark.parametrize("path", [p for p in files("wacz-real") if p.name != "valid_signed_example_1.wacz"], ids=lambda p: p.name)
def test_wacz_of_the_world(path: Path) -> None:
    wanted, integrity, signer = PACKAGES[path.name]
    verdict = verified(path, store=court())
    check(verdict, wanted)
    head = notes(verdict, "WACZ.CONTAINER")
    assert integrity in head and any(n.startswith(signer) for n in head)
    # The WARC layer of every package passes completely.
    assert all(
        f.outcome is PASSED for f in verdict.findings if f.check.startswith(("WARC.", "GZ.", "ZIP."))
    ), verdict.findings
    assert verdict.grade.value == "E"


LOGS = {
    "Google Xenon2022": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+WS9FSxAYlCVEzg8xyGwOrmPonoV14nWjjETAIdZvLvukPzIWBMKv6tDNlQjpIHNrUcUt1igRPpqoKDXw2MeKw==",
    "Cloudflare Nimbus2022": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAESLJHTlAycmJKDQxIv60pZG8g33lSYxYpCi5gteI6HLevWbFVCdtZx+m9b+0LrwWWl/87mkNN6xE0M4rnrIPA/w==",
}
"""The keys of the two logs that promised to list the signer's certificate; their SHA-256 stand in the promises."""


def test_the_logs_of_the_world_promised_to_list_the_signer() -> None:
    store = replace(court(), ct_logs={hashlib.sha256(k).digest(): k for k in map(base64.b64decode, LOGS.values())})
    verdict = verified(WACZ / "valid_signed_example_1.wacz", store=store)
    found = finding(verdict, "WAUTH.LOGS")
    assert (found.outcome, found.actual, found.notes) == (PASSED, "2", ("CT_LOGGED_AT:2022-01-18T07:36:46.129Z",))
    assert all(f.outcome is PASSED for f in verdict.findings), verdict.findings
    # The staging authority's certificate is in other logs.
    other = verified(WACZ / "invalid_signed_example_1.wacz", store=store)
    assert answer(other, "WAUTH.LOGS") == (OPEN, Reason.ANCHOR_UNTRUSTED)


def test_the_signed_package_of_the_world_is_consistent_at_its_time() -> None:
    verdict = verified(WACZ / "valid_signed_example_1.wacz", store=court())
    assert {f.check for f in verdict.findings if f.outcome is not PASSED} == {"WAUTH.LOGS"}
    assert answer(verdict, "WAUTH.LOGS") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "A")
    assert verdict.time is not None
    assert verdict.time.not_after == datetime(2022, 1, 18, 19, 0, 12, tzinfo=UTC)
    assert any(n.startswith("ROOT_EXPIRED_SINCE:2024-09-30") for n in notes(verdict, "WAUTH.CHAIN"))
    assert any(n.startswith("TSA_CERT_EXPIRED_SINCE:2026-03-11") for n in notes(verdict, "WAUTH.TOKEN"))
    assert any(n.startswith("SIGNER_DOMAIN:btrix-sign-test.webrecorder.net ") for n in notes(verdict, "WACZ.CONTAINER"))


def test_the_signed_package_of_the_world_before_a_court_that_pins_nothing() -> None:
    verdict = verified(WACZ / "valid_signed_example_1.wacz")
    assert answer(verdict, "WAUTH.CHAIN") == answer(verdict, "WAUTH.TOKEN") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
    assert verdict.overall is Overall.INDETERMINATE


def test_the_indexes_of_the_world_agree_to_the_last_line() -> None:
    assert "INDEX_LINES_MATCHED:14" in notes(verified(WACZ / "rwp_example.wacz"), "WACZ.INDEX")


def test_a_court_may_accept_the_defect_of_js_wacz() -> None:
    policy = trust(policy={"accept_writer_defects": ["js-wacz-doubled-chunk"]})
    for name in ("scoop_gh-example", "warcbench_example.com", "warcbench_before", "warcbench_after"):
        verdict = verified(WACZ / f"{name}.wacz", store=policy)
        assert answer(verdict, "WACZ.HASHES") == OK and verdict.overall is Overall.INDETERMINATE


ATTACKS: dict[str, Answers] = {
    "a1_transplanted_signature.wacz": {"WAUTH.DIGEST": HASH},
    "a4_listed_warc_missing.wacz": {"WACZ.LISTED": (FAILED, Reason.RESOURCE_MISSING)},
    "a5_unlisted_dotless_file.wacz": {"WACZ.UNLISTED": (FAILED, Reason.UNLISTED_MEMBER)},
    "a7_digest_removed.wacz": UNSIGNED,
    "a8_signedData_removed.wacz": UNSIGNED,
    "a9_md5.wacz": {"WACZ.HASHES": (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)},
    "a10_duplicate_entry_first_evil.wacz": {"ZIP.STRUCTURE": FORM},
    "a11_bitflip_warc.wacz": {"WACZ.HASHES": HASH},
    "a12_local_name_mismatch.wacz": {"ZIP.STRUCTURE": FORM},
    "a13_prefixed_polyglot.wacz": {"ZIP.STRUCTURE": FORM},
    "a14_path_traversal.wacz": {"ZIP.NAMES": FORM},
}


@pytest.mark.parametrize("path", files("wacz-attacks-generated"), ids=lambda p: p.name)
def test_wacz_attacks(path: Path) -> None:
    """Before a court that trusts the original's signer: an attack on it is refuted, or at the least not consistent."""
    verdict = verified(path, store=court())
    check(verdict, ATTACKS[path.name], loose=True)
    assert not any(w.complete for w in verdict.walks)
    if path.name.startswith(("a7", "a8")):
        assert "SIGNER_NONE" in notes(verdict, "WACZ.CONTAINER") and "WAUTH.SIGNATURE" not in {f.check for f in verdict.findings}


def test_the_signature_of_harvard_with_another_domain() -> None:
    """A genuine RSA signature and token; only the domain was replaced."""
    data = json.loads((SNAPSHOTS / "wacz-auth" / "jswacz_authsign-response.json").read_bytes())
    signed = data.get("signedData", data)
    chain, stamp = PEM.findall(signed["domainCert"]), PEM.findall(signed["timestampCert"])
    store = trust(web=[chain[-1].encode()], tsa=[stamp[-1].encode()])
    found = {
        f.check: f for f in wacz_auth.verify(signed, created=signed["created"], subject="x", trust=store, at=AT).findings
    }
    assert found["WAUTH.SIGNATURE"].outcome is PASSED and "RSA 2048" in str(found["WAUTH.SIGNATURE"].actual)
    assert found["WAUTH.TOKEN"].outcome is PASSED
    assert found["WAUTH.TOKEN"].actual == "2023-02-22T15:50:02.000Z"
    assert (found["WAUTH.DOMAIN"].outcome, found["WAUTH.DOMAIN"].reason) == (FAILED, Reason.CERT_HOST_MISMATCH)
    other = {**signed, "signature": base64.b64encode(bytes(256)).decode()}
    found = {f.check: f for f in wacz_auth.verify(other, created=None, subject="x", trust=store, at=AT).findings}
    assert found["WAUTH.SIGNATURE"].reason is Reason.SIG_CRYPTO_FAILURE


# ── forensic packages ─────────────────────────────────────────────────────────────────────────────────────────────────

CNP = SNAPSHOTS / "cn-package-synthetic"
FINE = {f"CNP.{c}": OK for c in ("CONTAINER", "HASH_LIST", "HASHES", "UNLISTED", "CLEANLINESS")}
TRAP = {"CNP.OPERATIONS": (OPEN, Reason.FACTS_CONFLICT), "CNP.TIME_ORDER": (OPEN, Reason.TIME_ZONE_AMBIGUOUS)}
FORENSIC: dict[str, Answers] = {
    "cn_pkg_ok_utf8.zip": {**FINE, **TRAP},
    "cn_pkg_ok_gbk_names.zip": {**FINE, **TRAP},
    "cn_pkg_bad_manifest_hash.zip": {**FINE, **TRAP, "CNP.HASHES": HASH},
    "cn_pkg_tampered_html.zip": {**FINE, **TRAP, "CNP.HASHES": HASH},
    "cn_pkg_missing_file.zip": {**FINE, "CNP.HASHES": (FAILED, Reason.RESOURCE_MISSING)},
    "cn_pkg_extra_unlisted_file.zip": {**FINE, **TRAP, "CNP.UNLISTED": (OPEN, Reason.UNLISTED_MEMBER)},
}


@pytest.mark.parametrize("path", files("cn-package-synthetic"), ids=lambda p: p.name)
def test_forensic_packages(path: Path) -> None:
    verdict = verified(path)
    check(verdict, FORENSIC[path.name])
    found = finding(verdict, "CNP.CLEANLINESS")
    assert found.actual == "10"
    stated = json.loads((CNP / "_package_hashes.json").read_bytes())[path.name]
    assert (verdict.sources[0].sha256, verdict.sources[0].sm3) == (stated["sha256"], stated["sm3"])
