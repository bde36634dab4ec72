"""Time-stamp tokens as files of an exhibit: paired with what they stamp, with certificates beside them, and against openssl."""

import hashlib
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evidence.verification.certificates import pem
from evidence.verification.exhibit import Exhibit, Source
from evidence.verification.reasons import Reason
from evidence.verification.registry import Context
from evidence.verification.timestamps import rfc3161
from evidence.verification.verdict import Bearing, Grade, NodeKind, Outcome, Overall

from .authority import (
    TIME_STAMPING,
    WHEN,
    TokenPlan,
    issue,
    response,
    sequence,
    token,
)
from .time_stamps import (
    AT,
    MESSAGE,
    MIDDLE,
    NAMES,
    PLAN,
    ROOT,
    TSA,
    check,
    examine,
    failed,
    indefinite,
    problems,
    trust,
)

# ── the registry's door ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_and_its_token() -> None:
    found, overall, grade = examine({"page.html": MESSAGE, "page.tsr": response(PLAN)})
    assert (overall, grade) == (Overall.CONSISTENT, Grade.A)
    (walk,) = found.walks
    assert walk.complete
    assert walk.file == hashlib.sha256(MESSAGE).hexdigest()
    assert walk.time is not None
    assert walk.time.not_after == WHEN + timedelta(seconds=1)  # genTime ± one second
    assert [s.check for s in walk.steps] == [
        "TST.IMPRINT", "TST.FORMAT", "TST.TIME", "TST.SIGNER", "TST.SIGNATURE", "TST.PURPOSE", "TST.CHAIN",
    ]  # fmt: skip
    assert walk.steps[0].start.kind is NodeKind.FILE
    assert walk.steps[-1].end.kind is NodeKind.ANCHOR
    assert walk.steps[-1].end.label == "CN=TSA root"
    for before, after in zip(walk.steps, walk.steps[1:], strict=False):
        assert before.end == after.start


def test_several_files_each_with_a_token() -> None:
    files = {f"{n}.bin": b"file %d" % n for n in range(3)}
    tokens = {f"{n}.tsr": token(replace(PLAN, message=b"file %d" % n)) for n in range(3)}
    _, overall, _ = examine(files | tokens)
    assert overall is Overall.CONSISTENT
    del tokens["1.tsr"]
    _, overall, _ = examine(files | tokens)
    assert overall is Overall.INDETERMINATE


def test_one_file_and_a_token_for_another() -> None:
    found, overall, _ = examine({"page.html": MESSAGE + b"x", "page.tsr": response(PLAN)})
    assert overall is Overall.INCONSISTENT
    assert [f.reason for f in found.findings if f.check == "TST.IMPRINT"] == [Reason.HASH_FAILURE]


def test_several_files_and_a_token_for_none() -> None:
    found, overall, _ = examine({"a": b"a", "b": b"b", "page.tsr": response(PLAN)})
    assert overall is Overall.INDETERMINATE
    (imprint,) = (f for f in found.findings if f.check == "TST.IMPRINT")
    assert (imprint.outcome, imprint.reason) == (Outcome.INDETERMINATE, Reason.SIGNED_DATA_NOT_FOUND)
    assert [w.file for w in found.walks] == [""]


def test_a_token_alone() -> None:
    found, overall, _ = examine({"page.tsr": response(PLAN)})
    assert overall is Overall.INDETERMINATE
    assert [f.reason for f in found.findings if f.check == "TST.IMPRINT"] == [Reason.SIGNED_DATA_NOT_FOUND]


def test_a_token_for_another_file_of_the_exhibit_accuses_nobody() -> None:
    """A token may stamp the certificate or another token; the content file is then simply without one."""
    first = response(PLAN)
    second = token(replace(PLAN, message=first))
    found, overall, _ = examine({"page.html": MESSAGE, "1.tsr": first, "2.tsr": second})
    assert overall is Overall.CONSISTENT
    assert not [f for f in found.findings if f.outcome is Outcome.FAILED]


def test_certificates_as_files_beside_the_token() -> None:
    data = token(replace(PLAN, embed=()))
    _, overall, _ = examine({"page.html": MESSAGE, "page.tsr": data})
    assert overall is Overall.INDETERMINATE
    for chain in ({"chain.pem": TSA.pem + MIDDLE.pem}, {"tsa.cer": TSA.der, "ca.cer": MIDDLE.der}):
        _, overall, grade = examine({"page.html": MESSAGE, "page.tsr": data} | chain)
        assert (overall, grade) == (Overall.CONSISTENT, Grade.A)
    # A root among the files is data.
    _, overall, grade = examine({"page.html": MESSAGE, "page.tsr": data, "all.pem": TSA.pem + MIDDLE.pem + ROOT.pem}, roots=())
    assert (overall, grade) == (Overall.INDETERMINATE, Grade.E)


def test_untrusted_root_is_grade_e() -> None:
    _, overall, grade = examine({"page.html": MESSAGE, "page.tsr": response(PLAN)}, roots=())
    assert (overall, grade) == (Overall.INDETERMINATE, Grade.E)


def test_recognition() -> None:
    def score(data: bytes) -> int:
        return rfc3161.sniff(Source.from_bytes("x", data))

    assert score(token(PLAN)) > 50
    assert score(response(PLAN)) > 50
    assert score(indefinite(token(PLAN))) > 50
    assert score(token(replace(PLAN, frame="1.2.156.10197.6.1.4.2.2"))) > 50
    assert score(sequence(sequence(b"\x02\x01\x02"))) > 50
    for other in (b"", b"0", MESSAGE, TSA.der, TSA.pem, b"%PDF-1.7", b"PK\x03\x04", b"{}", bytes(2000), b"\x30" * 2000):
        assert score(other) == 0
    # Files that hold tokens are not tokens: an evidence record (RFC 4998), a signature with a time-stamp in it, a list of tokens.
    version = b"\x02\x01\x01"
    for holder in (
        sequence(version, sequence(sequence(token(PLAN)))),
        sequence(token(PLAN), token(PLAN)),
        token(replace(PLAN, content_type="1.2.840.113549.1.7.1", embed=(token(PLAN),))),
    ):
        assert score(holder) == 0
    # Truncated but recognisable tokens are examined, and refused there.
    assert score(response(PLAN)[:400]) > 50
    found, overall, _ = examine({"page.html": MESSAGE, "page.tsr": response(PLAN)[:400]})
    assert problems(rfc3161.Verification(found.findings)) == {"TST.FORMAT": failed(Reason.FORMAT_FAILURE)}
    assert overall is Overall.INCONSISTENT


def test_oversized_token() -> None:
    data = response(PLAN) + bytes(rfc3161.TOKEN_BYTES_MAX)
    found, overall, _ = examine({"page.html": MESSAGE, "page.tsr": data})
    assert [f.reason for f in found.findings] == [Reason.RESOURCE_LIMIT]
    assert overall is Overall.INDETERMINATE


# ── certificate files ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "count", "problem"),
    [
        (TSA.der, 1, None),
        (TSA.pem, 1, None),
        (TSA.pem.replace(b"\n", b"\r\n") + b"\r\n\t\n" + MIDDLE.pem, 2, None),
        # Whatever stands beside the certificates may say anything, and nothing proves it.
        (b"subject=TSA\n" + TSA.pem.replace(b"\n", b"\r\n") + b"\nnotes\n" + MIDDLE.pem, 2, Reason.PROOF_NOT_SUPPLIED),
        (TSA.pem + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 1, Reason.FORMAT_FAILURE),
        (TSA.pem + b"-----BEGIN CERTIFICATE-----\n", 1, Reason.FORMAT_FAILURE),
        (b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", 0, Reason.FORMAT_FAILURE),
        (TSA.der + b"\x00", 0, Reason.FORMAT_FAILURE),
    ],
    ids=["DER", "PEM", "two", "text beside", "broken second", "cut second", "no base64", "trailing byte"],
)
def test_certificate_files(data: bytes, count: int, problem: Reason | None) -> None:
    source = Source.from_bytes("c.pem", data)
    assert pem.sniff(source) > 0
    assert len(pem.certificates([source])) == count
    exhibit = Exhibit.of([source])
    context = Context(exhibit, trust(), AT, MappingProxyType({source: NAMES["x509"]}))
    findings = pem.examine((source,), context).findings
    assert [f.reason for f in findings] == ([problem] if problem else [])
    assert all(f.bearing is Bearing.DECISIVE for f in findings)


def test_a_flood_of_certificates_is_bounded() -> None:
    source = Source.from_bytes("flood.pem", TSA.pem * (pem.CERTIFICATES_MAX + 1))
    assert len(pem.certificates([source])) == pem.CERTIFICATES_MAX
    context = Context(Exhibit.of([source]), trust(), AT, MappingProxyType({source: NAMES["x509"]}))
    assert [f.reason for f in pem.examine((source,), context).findings] == [Reason.RESOURCE_LIMIT]


def test_files_that_merely_quote_a_certificate() -> None:
    for data in (b'{"cert": "-----BEGIN CERTIFICATE-----"}', b"%PDF-1.7 -----BEGIN CERTIFICATE-----", b"<html>-----BEGIN CERTIFICATE-----", b"", b"\x30\x82", bytes(100)):
        assert pem.sniff(Source.from_bytes("x", data)) == 0


# ── openssl as an independent authority ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_tokens_made_by_openssl(tmp_path: Path, digest: str) -> None:
    key = TSA.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, data in (("key.pem", key), ("tsa.pem", TSA.pem), ("chain.pem", MIDDLE.pem), ("message", MESSAGE), ("serial", b"01\n")):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "ts.cnf").write_text(
        "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\ncerts=chain.pem\nsigner_key=key.pem\n"
        "signer_digest=sha256\ndefault_policy=1.2.3.4.5\ndigests=sha256,sha384,sha512\naccuracy=secs:1,millisecs:500\n"
        "ess_cert_id_alg=sha256\n"
    )

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=tmp_path)

    openssl("ts", "-query", "-data", "message", f"-{digest}", "-cert", "-out", "q")
    openssl("ts", "-reply", "-config", "ts.cnf", "-section", "t", "-queryfile", "q", "-out", "r.tsr")
    openssl("ts", "-reply", "-config", "ts.cnf", "-section", "t", "-queryfile", "q", "-token_out", "-out", "r.tok")
    # openssl stamps with its own clock.
    at = datetime(2039, 1, 1, tzinfo=UTC)
    for made in ("r.tsr", "r.tok"):
        data = (tmp_path / made).read_bytes()
        found = check(data, at=at)
        assert found.passed, problems(found)
        assert found.token is not None
        assert found.token.accuracy == timedelta(seconds=1.5)
        assert problems(check(data, at=at, message=b"other")) == {"TST.IMPRINT": failed(Reason.HASH_FAILURE)}


@pytest.mark.needs("openssl")
def test_openssl_agrees_on_honest_and_on_evil(tmp_path: Path) -> None:
    """`openssl ts -verify` with the same root says the same of both."""
    evil_root = issue("TSA root", ca=True)
    evil = issue("TSA 1", by=evil_root, eku=[TIME_STAMPING])
    cases = {
        "honest": (response(PLAN), True),
        "evil": (response(TokenPlan(MESSAGE, evil, embed=(evil.der, evil_root.der))), False),
        "other bytes": (response(replace(PLAN, message=b"other")), False),
    }
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    (tmp_path / "message").write_bytes(MESSAGE)
    for data, good in cases.values():
        (tmp_path / "r.tsr").write_bytes(data)
        run = subprocess.run(
            ["openssl", "ts", "-verify", "-in", "r.tsr", "-data", "message", "-CAfile", "root.pem"],
            capture_output=True,
            cwd=tmp_path,
            check=False,
        )
        assert (run.returncode == 0) is good
        assert check(data).passed is good
