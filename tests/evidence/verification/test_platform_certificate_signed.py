"""What of a certificate can be recomputed: the time-stamp inside it (CERT.TSR) and the depositor's signature (CERT.DEPOSITOR).

Tokens are made by `authority`, SM2 signatures by gmalg.
"""

import base64
import hashlib
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import gmalg
import pytest

from evidence.verification import TrustStore
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall, Verdict
from tests.anchor_packs import write_pack
from tests.evidence.verification.authority import TIME_STAMPING, TokenPlan, issue, response, sequence, token
from tests.evidence.verification.fisco3_exhibits import OTHER, PAGE, answer, examine, finding, findings
from tests.evidence.verification.platform_statements import SHA256, SM3, STATEMENTS

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"

ROOT = issue("TSA root", ca=True)
TSA = issue("TSA 1", by=ROOT, eku=[TIME_STAMPING])
PLAN = TokenPlan(PAGE, TSA, embed=(TSA.der,))


def judged(value: Any, *, page: bytes | None = PAGE, platforms: Any = (), roots: Any = (ROOT.pem,), **more: bytes) -> Verdict:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = TrustStore.load(write_pack(Path(folder), tsa_roots=roots, platforms=platforms))
    given = {"certificate.json": json.dumps(value).encode(), **more}
    return examine({**given, **({"page.html": page} if page is not None else {})}, store)


# ── CERT.TSR ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def stamped(data: bytes, **changes: Any) -> dict[str, Any]:
    value = {**STATEMENTS["antchain registration"].value, "tsr": base64.b64encode(data).decode(), **changes}
    return {k: v for k, v in value.items() if v is not ...}


def test_a_token_over_the_file_is_a_walk_of_its_own() -> None:
    verdict = judged(stamped(response(PLAN)))
    assert answer(verdict, "CERT.TSR") == (PASSED, None)
    walk = next(w for w in verdict.walks if w.complete)
    assert (walk.file, walk.grade.value) == (hashlib.sha256(PAGE).hexdigest(), "A")
    # The walk is the time-stamp's; the certificate's own still ends at the statement.
    assert [w.state.value for w in verdict.walks] == ["ASSERTED", "PROVEN"]
    assert verdict.overall is Overall.CONSISTENT
    assert {"NOT_PROVEN.CERTIFICATE", "NOT_PROVEN.AUTHOR"} <= set(verdict.not_proven)


@pytest.mark.parametrize(
    "written",
    [
        lambda data: base64.b64encode(data).decode(),
        lambda data: base64.encodebytes(data).decode(),
        lambda data: data.hex(),
        lambda data: {"ctsr": base64.b64encode(data).decode(), "sn": "1"},
    ],
)
def test_ways_of_writing_a_token(written: Any) -> None:
    for data in (token(PLAN), response(PLAN)):
        value = {**STATEMENTS["antchain registration"].value, "tsr": written(data)}
        assert answer(judged(value), "CERT.TSR") == (PASSED, None)


def test_a_token_of_a_root_that_the_court_has_not_pinned() -> None:
    verdict = judged(stamped(response(PLAN)), roots=())
    assert answer(verdict, "CERT.TSR") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
    assert verdict.overall is Overall.INDETERMINATE and verdict.grade.value == "E"
    brought = judged(stamped(response(replace(PLAN, embed=(TSA.der, ROOT.der)))), roots=(), **{"root.pem": ROOT.pem})
    assert brought.overall is Overall.INDETERMINATE


def test_a_token_of_another_certificate() -> None:
    verdict = judged(stamped(response(replace(PLAN, message=OTHER))))
    assert answer(verdict, "CERT.TSR") == (FAILED, Reason.HASH_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT


def test_a_token_over_the_stated_digest_with_another_file() -> None:
    verdict = judged(stamped(response(PLAN)), page=OTHER)
    assert answer(verdict, "CERT.TSR") == (PASSED, None)
    assert answer(verdict, "DIGEST.MATCH") == (FAILED, Reason.HASH_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT


def test_digests_of_two_algorithms_contradict_nothing() -> None:
    """The certificate states SM3, the token covers SHA-256: only the file tells whether they speak of the same."""
    value = {**STATEMENTS["huawei"].value, "tsr": base64.b64encode(response(PLAN)).decode()}
    assert answer(judged(value), "CERT.TSR") == (PASSED, None)
    assert answer(judged(value, page=None, **{"a.html": OTHER, "b.html": b"b"}), "CERT.TSR") == (OPEN, Reason.SIGNED_DATA_NOT_FOUND)
    other = {**value, "tsr": base64.b64encode(response(replace(PLAN, message=OTHER))).decode()}
    assert answer(judged(other), "CERT.TSR") == (FAILED, Reason.HASH_FAILURE)


@pytest.mark.parametrize("text", [SHA256.encode(), SHA256.upper().encode(), bytes.fromhex(SHA256)])
def test_a_token_over_the_digest_of_the_digest(text: bytes) -> None:
    verdict = judged(stamped(response(replace(PLAN, message=text))))
    assert answer(verdict, "CERT.TSR") == (PASSED, None)
    assert "IMPRINT_OF_TEXT" in finding(verdict, "TST.IMPRINT").notes
    # It names no file of the exhibit, so that the exhibit stands on the statement alone.
    assert verdict.overall is Overall.INDETERMINATE


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_a_token_over_a_broken_digest(digest: str) -> None:
    verdict = judged(stamped(response(replace(PLAN, digest=digest))))
    assert answer(verdict, "CERT.TSR")[0] == OPEN
    assert verdict.overall is Overall.INDETERMINATE
    derived = judged(stamped(response(replace(PLAN, digest=digest, message=SHA256.encode()))))
    assert answer(derived, "CERT.TSR") == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)


@pytest.mark.parametrize(
    ("tsr", "expected"),
    [
        ("x", (OPEN, Reason.UNSUPPORTED_FORMAT)),
        (17, (OPEN, Reason.UNSUPPORTED_FORMAT)),
        ({"a": 1}, (OPEN, Reason.UNSUPPORTED_FORMAT)),
        ([["MAA="]], (OPEN, Reason.UNSUPPORTED_FORMAT)),
        (base64.b64encode(sequence(b"\x02\x01\x01")).decode(), (FAILED, Reason.FORMAT_FAILURE)),
        (base64.b64encode(response(PLAN)[:-20]).decode(), (FAILED, Reason.FORMAT_FAILURE)),
        (base64.b64encode(sequence(sequence(b"\x02\x01\x02"))).decode(), (OPEN, Reason.NO_POE)),
        (base64.b64encode(b"\x30" * (300 << 10)).decode(), (OPEN, Reason.RESOURCE_LIMIT)),
    ],
)
def test_what_is_no_token(tsr: Any, expected: tuple[str, Reason]) -> None:
    verdict = judged({**STATEMENTS["antchain registration"].value, "tsr": tsr})
    assert answer(verdict, "CERT.TSR") == expected
    assert verdict.overall is not Overall.CONSISTENT
    assert not findings(verdict, "ENGINE.RUN")


def test_a_changed_bit_of_a_token_changes_nothing_that_it_says() -> None:
    """What of a token is not signed (its frame, an unused certificate) may change; who stamped what, and when, may not."""
    rng = random.Random("embedded token")
    data = token(PLAN)
    said = next(w for w in judged(stamped(data)).walks if w.complete)
    passed = 0
    for _ in range(250):
        changed = bytearray(data)
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        verdict = judged(stamped(bytes(changed)))
        assert not findings(verdict, "ENGINE.RUN")
        if verdict.overall is Overall.CONSISTENT:
            passed += 1
            assert next(w for w in verdict.walks if w.complete) == said
    assert passed < 25


def test_more_tokens_than_are_looked_at() -> None:
    from evidence.verification.certificates import embedded_token

    one = {"txid": "12" * 32, "file_hash": SM3, "blockid": "34" * 32, "timestamp_data": {"TimestampTsa": "x"}}
    verdict = judged({"code": 0, "data": [one] * (embedded_token.TOKENS_MAX + 1)})
    reasons = [f.reason for f in findings(verdict, "CERT.TSR")]
    assert reasons.count(Reason.UNSUPPORTED_FORMAT) == embedded_token.TOKENS_MAX
    assert reasons.count(Reason.RESOURCE_LIMIT) == 1


# ── CERT.DEPOSITOR ─────────────────────────────────────────────────────────────────────────────────────────────────────

SECRET = hashlib.sha256(b"a depositor").digest()
POINT = gmalg.SM2(sk=SECRET).generate_pk(SECRET)
UID = b"1234567812345678"


def numbers(data: bytes) -> bytes:
    """INTEGER of a DER signature: no leading zero but for the sign."""
    body = data.lstrip(b"\0") or b"\0"
    body = b"\0" + body if body[0] & 0x80 else body
    return b"\x02" + bytes([len(body)]) + body


def signed(message: str, *, secret: bytes = SECRET) -> tuple[bytes, bytes]:
    """(r‖s, DER)."""
    r, s = gmalg.SM2(sk=secret, uid=UID, pk=gmalg.SM2(sk=secret).generate_pk(secret)).sign(message.encode())
    body = numbers(r) + numbers(s)
    return r + s, b"\x30" + bytes([len(body)]) + body


def request(extend: str | None = '{"case":"1"}', *, form: str = "base64 DER", separator: str = "_", **changes: Any) -> dict[str, Any]:
    public = base64.b64encode(POINT).decode()
    parts = [public, SHA256, *([extend] if extend is not None else [""])]
    raw, der = signed(separator.join(parts))
    data = der if form.endswith("DER") else raw
    text = base64.b64encode(data).decode() if form.startswith("base64") else data.hex()
    value = {"publicKey": public, "hash": SHA256, "sign": text, "extendInfo": extend, **changes}
    return {k: v for k, v in value.items() if v is not ...}


def registered(key: bytes) -> list[dict[str, Any]]:
    title = {"zh": "至信链", "en": "Zhixin chain"}
    return [{"id": "zxchain", "title": title, "operator": "o", "hosts": [], "depositors": [key.hex()]}]


def test_the_point_of_the_key() -> None:
    assert len(POINT) == 65 and POINT[0] == 4


@pytest.mark.parametrize("form", ["base64 DER", "base64 raw", "hex DER", "hex raw"])
def test_a_signature_holds_in_every_documented_form(form: str) -> None:
    verdict = judged(request(form=form))
    found = finding(verdict, "CERT.DEPOSITOR")
    # The key is the request's own word: that it holds says nothing about who signed.
    assert (found.outcome.value, found.reason) == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert found.notes[0].startswith("ENCODING_UNCONFIRMED:")
    known = judged(request(form=form), platforms=registered(POINT[1:]))
    assert answer(known, "CERT.DEPOSITOR") == (PASSED, None)
    assert known.overall is Overall.INDETERMINATE
    stranger = judged(request(form=form), platforms=registered(bytes(64)))
    assert answer(stranger, "CERT.DEPOSITOR") == (OPEN, Reason.ANCHOR_UNTRUSTED)


def test_an_absent_extend_info() -> None:
    assert answer(judged(request(None)), "CERT.DEPOSITOR") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(judged(request("")), "CERT.DEPOSITOR") == (OPEN, Reason.ANCHOR_UNTRUSTED)


@pytest.mark.parametrize(
    "changes",
    [
        {"hash": SM3},
        {"hash": SHA256.upper()},
        {"extendInfo": '{"case":"2"}'},
        {"extendInfo": '{"case":"1"} '},
        {"separator": "|"},
        {"sign": base64.b64encode(signed("something else")[1]).decode()},
        {"sign": base64.b64encode(signed("x", secret=hashlib.sha256(b"another").digest())[1]).decode()},
        {"publicKey": base64.b64encode(gmalg.SM2(sk=b"\x01" * 32).generate_pk(b"\x01" * 32)).decode()},
        {"publicKey": base64.b64encode(b"\x04" + bytes(64)).decode()},
    ],
)
def test_what_was_signed_is_not_what_is_there(changes: dict[str, Any]) -> None:
    verdict = judged(request(**changes), platforms=registered(POINT[1:]))
    assert answer(verdict, "CERT.DEPOSITOR") == (FAILED, Reason.SIG_CRYPTO_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sign": "not a signature"}, Reason.UNSUPPORTED_FORMAT),
        ({"sign": "AAAA"}, Reason.UNSUPPORTED_FORMAT),
        ({"publicKey": "AAAA"}, Reason.UNSUPPORTED_FORMAT),
        ({"publicKey": base64.b64encode(b"\x02" + POINT[1:]).decode()}, Reason.UNSUPPORTED_FORMAT),
        ({"sign": None}, Reason.SIGNED_DATA_NOT_FOUND),
        ({"sign": {"r": 1}}, Reason.SIGNED_DATA_NOT_FOUND),
        ({"extendInfo": "x" * 9000}, Reason.SIGNED_DATA_NOT_FOUND),
        ({"extendInfo": {"case": "1"}}, Reason.UNSUPPORTED_FORMAT),
        ({"extendInfo": 1}, Reason.UNSUPPORTED_FORMAT),
    ],
)
def test_what_cannot_be_checked_is_no_contradiction(changes: dict[str, Any], reason: Reason) -> None:
    verdict = judged({**request(), **changes})
    assert answer(verdict, "CERT.DEPOSITOR") == (OPEN, reason)
    assert verdict.overall is Overall.INDETERMINATE


def test_no_changed_bit_of_a_signature_holds() -> None:
    value = request(form="base64 raw")
    data = base64.b64decode(value["sign"])
    rng = random.Random("depositor")
    for _ in range(40):
        changed = bytearray(data)
        changed[rng.randrange(64)] ^= 1 << rng.randrange(8)
        verdict = judged({**value, "sign": base64.b64encode(changed).decode()}, platforms=registered(POINT[1:]))
        assert answer(verdict, "CERT.DEPOSITOR") == (FAILED, Reason.SIG_CRYPTO_FAILURE)


def test_a_signature_that_does_not_cover_the_content() -> None:
    found = finding(judged(STATEMENTS["netcourt request"].value), "CERT.DEPOSITOR")
    assert (found.outcome.value, found.reason) == (OPEN, Reason.NO_SIGNING_CERTIFICATE_FOUND)
    assert found.notes == ("SIGNATURE_WITHOUT_CONTENT",)
