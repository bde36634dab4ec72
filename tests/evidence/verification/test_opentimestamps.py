"""OpenTimestamps proofs beside their file: read, paired, and never taken for a proof of time."""

import hashlib

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.timestamps import opentimestamps
from evidence.verification.verdict import Bearing, Overall

from .snapshot_exhibits import FAILED, OPEN, PASSED, answer, finding, notes, verified
from .wacz_exhibits import package

MAGIC = bytes.fromhex("004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e89294")
FILE = b"a page"
DIGEST = hashlib.sha256(FILE).digest()
SHA256, APPEND, PREPEND, FORK = b"\x08", b"\xf0", b"\xf1", b"\xff"


def text(data: bytes) -> bytes:
    size, lead = len(data), b""
    while size > 0x7F:
        lead, size = lead + bytes([size & 0x7F | 0x80]), size >> 7
    return lead + bytes([size]) + data


def attested(kind: str, payload: bytes) -> bytes:
    return b"\0" + bytes.fromhex(kind) + text(payload)


PENDING = attested("83dfe30d2ef90c8e", text(b"https://calendar.example"))
BITCOIN = attested("0588960d73d71901", b"\xf7\xef\x15")  # 358391
OTHER = attested("0102030405060708", b"?")


def proof(tree: bytes = APPEND + text(b"salt") + SHA256 + PENDING, *, digest: bytes = DIGEST, kind: bytes = SHA256) -> bytes:
    return MAGIC + b"\x01" + kind + digest + tree


def beside(data: bytes, *, content: bytes = FILE, name: str = "page.html.ots", runs: int = 2):  # type: ignore[no-untyped-def]
    return verified(("page.html", content), (name, data), runs=runs)


def test_a_calendar_only_promises() -> None:
    verdict = beside(proof())
    assert answer(verdict, "OTS.FORMAT") == answer(verdict, "OTS.IMPRINT") == (PASSED, None)
    assert answer(verdict, "OTS.ATTESTATION") == (OPEN, Reason.PROMISE_ONLY)
    assert "OTS_CALENDAR:https://calendar.example" in notes(verdict, "OTS.ATTESTATION")
    assert (verdict.overall, verdict.time, verdict.walks) == (Overall.INDETERMINATE, None, ())


def test_a_block_is_named_with_the_root_it_would_have_and_not_believed() -> None:
    tree = APPEND + text(b"salt") + SHA256 + FORK + PENDING + PREPEND + text(b"x") + SHA256 + BITCOIN
    verdict = beside(proof(tree))
    root = hashlib.sha256(b"x" + hashlib.sha256(DIGEST + b"salt").digest()).digest()[::-1].hex()
    assert f"OTS_BITCOIN_BLOCK:358391 {root}" in notes(verdict, "OTS.ATTESTATION")
    assert answer(verdict, "OTS.ATTESTATION") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    assert (verdict.overall, verdict.time) == (Overall.INDETERMINATE, None)


def test_branches_keep_the_message_at_which_they_part() -> None:
    tree = FORK + APPEND + text(b"1") + FORK + BITCOIN + SHA256 + BITCOIN + APPEND + text(b"2") + BITCOIN
    found = opentimestamps.read(proof(tree)).bitcoin
    due = [DIGEST + b"1", hashlib.sha256(DIGEST + b"1").digest(), DIGEST + b"2"]
    assert [m[::-1] for _, m in found] == due


def test_other_attestations_are_counted() -> None:
    verdict = beside(proof(OTHER))
    assert answer(verdict, "OTS.ATTESTATION") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert "OTS_UNKNOWN_ATTESTATIONS:1" in notes(verdict, "OTS.ATTESTATION")


def test_the_file_is_found_by_its_digest_whatever_its_name() -> None:
    assert answer(beside(proof(), name="x.bin"), "OTS.IMPRINT") == (PASSED, None)
    two = verified(("other.html", b"other"), ("page.html", FILE), ("page.wacz.ots", proof()))
    assert "page.html" in finding(two, "OTS.IMPRINT").subject


def test_a_proof_beside_the_file_it_is_named_after_but_of_another_fails() -> None:
    assert answer(beside(proof(), content=b"changed"), "OTS.IMPRINT") == (FAILED, Reason.HASH_FAILURE)
    elsewhere = finding(beside(proof(), content=b"changed", name="x.ots"), "OTS.IMPRINT")
    assert (elsewhere.outcome, elsewhere.reason, elsewhere.bearing) == (OPEN, Reason.SIGNED_DATA_NOT_FOUND, Bearing.DECISIVE)


def test_beside_a_package() -> None:
    packed = package()
    verdict = verified(("p.wacz", packed), ("p.wacz.ots", proof(digest=hashlib.sha256(packed).digest())))
    assert answer(verdict, "OTS.IMPRINT") == (PASSED, None)
    assert verdict.overall is Overall.INDETERMINATE


@pytest.mark.parametrize(("kind", "digest"), [(b"\x02", hashlib.sha1(FILE).digest()), (b"\x03", bytes(20))])
def test_weak_digests_never_pass(kind: bytes, digest: bytes) -> None:
    assert answer(beside(proof(kind=kind, digest=digest)), "OTS.IMPRINT") == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)


@pytest.mark.parametrize(
    "data",
    [
        MAGIC,
        MAGIC + b"\x02" + proof()[len(MAGIC) + 1 :],
        proof(kind=b"\xf3"),
        proof() + b"\0",
        proof(b"\x55"),
        proof(b""),
        proof(FORK + PENDING),
        proof(APPEND + text(b"") + PENDING),
        proof(APPEND + text(bytes(4097)) + PENDING),
        proof((APPEND + text(bytes(4000))) * 2 + PENDING),
        proof(b"\xf3" * 8 + PENDING),
        proof(FORK * 257 + PENDING * 258),
        proof(SHA256 * 20_001 + PENDING),
        proof(attested("83dfe30d2ef90c8e", text(b"x") + b"y")),
        proof(attested("0588960d73d71901", b"\x81\x00")),
        proof(attested("0588960d73d71901", b"\xff" * 10)),
        proof(attested("0102030405060708", bytes(8193))),
    ],
)
def test_what_is_no_proof_fails(data: bytes) -> None:
    assert answer(beside(data), "OTS.FORMAT") == (FAILED, Reason.FORMAT_FAILURE)


def test_every_truncation_and_every_bit() -> None:
    whole = proof(FORK + PENDING + SHA256 + BITCOIN)
    for size in range(len(MAGIC), len(whole)):
        assert answer(beside(whole[:size], runs=1), "OTS.FORMAT") == (FAILED, Reason.FORMAT_FAILURE)
    for at in range(len(MAGIC), len(whole)):
        for bit in range(8):
            verdict = beside(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :], runs=1)
            assert verdict.overall is not Overall.CONSISTENT
            if at in range(len(MAGIC) + 2, len(MAGIC) + 34):  # the digest of the file
                assert answer(verdict, "OTS.IMPRINT") == (FAILED, Reason.HASH_FAILURE)


def test_the_bounds() -> None:
    over = finding(beside(proof() + bytes(opentimestamps.PROOF_BYTES_MAX)), "OTS.FORMAT")
    assert (over.outcome, over.reason, over.bearing) == (OPEN, Reason.RESOURCE_LIMIT, Bearing.DECISIVE)
    fullest = proof(FORK * 256 + PENDING * 257)
    assert len(opentimestamps.read(fullest).pending) == 257
