"""Contract calls and events: the canonical encoding and nothing else."""

import random

import pytest

from evidence.verification.chains import abi
from evidence.verification.codecs.text import CodecError
from portal.demonstration.fisco3 import keccak, sm3

DIGEST = bytes(range(32))
WORD = 32


def word(number: int) -> bytes:
    return number.to_bytes(WORD)


def created(ext: bytes) -> bytes:
    padded = ext + bytes(-len(ext) % WORD)
    return keccak(b"createSaveRequest(bytes32,bytes)")[:4] + DIGEST + word(64) + word(len(ext)) + padded


def test_method_ids_of_both_chain_hashes() -> None:
    """The ids of spec consortium-chains §6.1, which come from nodes of either kind."""
    assert [i[:4].hex() for i in abi.identifiers(abi.CREATE)] == ["8c7536af", "a90a2948"]
    assert [i[:4].hex() for i in abi.identifiers(abi.VOTE)] == ["ab9beda7", "89b3ecda"]
    assert [i[:4].hex() for i in abi.identifiers(abi.SAVED)] == ["847e1916", "c044db98"]


@pytest.mark.parametrize("hashed", [keccak, sm3])
@pytest.mark.parametrize("ext", [b"", b"x", b"y" * 31, b"z" * 32, b"w" * 33])
def test_known_call(hashed: object, ext: bytes) -> None:
    data = created(ext)
    data = hashed(b"createSaveRequest(bytes32,bytes)")[:4] + data[4:]  # type: ignore[operator]
    assert abi.call(data) == abi.Call(abi.CREATE, (("hash", DIGEST), ("ext", ext)))


def test_unknown_calls_are_left_alone() -> None:
    for data in (b"", b"\x00", bytes(4), b"\xff" * 4 + DIGEST):
        assert abi.call(data) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d[:-1],
        lambda d: d + b"\0",
        lambda d: d + bytes(32),
        lambda d: d[:-1] + b"\1",  # padding
        lambda d: d[:36] + word(96) + d[68:],  # gap before the tail
        lambda d: d[:36] + word(0) + d[68:],  # tail over the head
        lambda d: d[:36] + word(1 << 255) + d[68:],
        lambda d: d[:68] + word(1 << 255) + d[100:],
        lambda d: d[:68] + word(33) + d[100:],
        lambda d: d[:40],
        lambda d: d[:4],
    ],
)
def test_other_encodings_of_a_known_call_are_refused(spoil: object) -> None:
    with pytest.raises(CodecError):
        abi.call(spoil(created(b"note")))  # type: ignore[operator]


def test_two_tails_in_order_and_without_gaps() -> None:
    a, b = b"first", b"second"
    good = word(64) + word(128) + word(len(a)) + a.ljust(32, b"\0") + word(len(b)) + b.ljust(32, b"\0")
    assert abi.decode(("string", "bytes"), good) == (a, b)
    swapped = word(128) + word(64) + word(len(b)) + b.ljust(32, b"\0") + word(len(a)) + a.ljust(32, b"\0")
    shared = word(64) + word(64) + word(len(a)) + a.ljust(32, b"\0")
    for data in (swapped, shared):
        with pytest.raises(CodecError):
            abi.decode(("string", "bytes"), data)


@pytest.mark.parametrize(
    ("kind", "good", "value"),
    [
        ("bytes4", b"\1\2\3\4" + bytes(28), b"\1\2\3\4"),
        ("bytes32", DIGEST, DIGEST),
        ("address", bytes(12) + b"\xab" * 20, b"\xab" * 20),
        ("bool", word(1), word(1)),
        ("bool", word(0), word(0)),
        ("uint8", word(255), word(255)),
        ("uint256", b"\xff" * 32, b"\xff" * 32),
        ("int8", b"\xff" * 32, b"\xff" * 32),
        ("int8", word(127), word(127)),
    ],
)
def test_static_values(kind: str, good: bytes, value: bytes) -> None:
    assert abi.decode((kind,), good) == (value,)


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("bytes4", b"\1\2\3\4\5" + bytes(27)),
        ("address", b"\1" + bytes(31)),
        ("bool", word(2)),
        ("uint8", word(256)),
        ("int8", word(128)),
        ("int8", b"\xff" * 31 + b"\x7f"),
        ("uint256", bytes(31)),
    ],
)
def test_values_that_do_not_fit_their_type(kind: str, bad: bytes) -> None:
    with pytest.raises(CodecError):
        abi.decode((kind,), bad)


def test_text_is_utf8() -> None:
    assert abi.decode(("string",), word(32) + word(6) + "存证".encode().ljust(32, b"\0")) == ("存证".encode(),)
    with pytest.raises(CodecError):
        abi.decode(("string",), word(32) + word(2) + b"\xff\xfe".ljust(32, b"\0"))


@pytest.mark.parametrize(
    "signature",
    ["", "f", "f(", "f()x", "f(uint7)", "f(uint264)", "f(uint008)", "f(bytes33)", "f(bytes0)", "f(uint256[])", "f((bool))",
     "f(bool,)", "f(" + "bool," * 16 + "bool)", "1f()", "f(Bytes32)"],
)  # fmt: skip
def test_signatures_that_are_not_read(signature: str) -> None:
    with pytest.raises(CodecError):
        abi.types_of(signature)


def test_methods_of_the_court_number_their_parameters() -> None:
    signature = "store(string,uint256)"
    data = keccak(signature.encode())[:4] + word(64) + word(7) + word(3) + b"abc".ljust(32, b"\0")
    assert abi.call(data) is None
    assert abi.call(data, further=(signature,)) == abi.Call(signature, (("0", b"abc"), ("1", word(7))))


def test_events() -> None:
    assert abi.event([keccak(b"EvidenceSaved(bytes32)"), DIGEST], b"") == abi.Call(abi.SAVED, (("hash", DIGEST),))
    vote = [sm3(b"VoteSaveRequest(bytes32,address,bool)"), DIGEST]
    read = abi.event(vote, bytes(12) + b"\xab" * 20 + word(1))
    assert read is not None and dict(read.parameters) == {"hash": DIGEST, "voter": b"\xab" * 20, "complete": word(1)}
    assert abi.event([], b"") is None
    assert abi.event([DIGEST], b"") is None
    for topics, data in (
        ([keccak(b"EvidenceSaved(bytes32)")], DIGEST),
        ([keccak(b"EvidenceSaved(bytes32)"), DIGEST, DIGEST], b""),
        ([keccak(b"EvidenceSaved(bytes32)"), DIGEST], bytes(32)),
        (vote, bytes(12) + b"\xab" * 20 + word(2)),
    ):
        with pytest.raises(CodecError):
            abi.event(topics, data)


def test_random_bytes_never_raise_anything_else() -> None:
    rng = random.Random("abi")
    good = created(b"note")
    for _ in range(2000):
        data = bytearray(good)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            read = abi.call(bytes(data[: rng.randrange(len(data) + 1)]))
        except CodecError:
            continue
        assert read is None or len(dict(read.parameters)["hash"]) == 32
