"""Strict RLP and the 16-ary tree, against the builder's own and against the published examples of the yellow paper."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.verification.chains import fisco2_tree
from evidence.verification.codecs import rlp
from evidence.verification.codecs.text import CodecError
from evidence.verification.merkle import PathError
from tests.evidence.verification import fisco2_exhibits as independent

Nested = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=6), max_leaves=20)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        # ethereum.org, "Recursive-length prefix serialization", examples
        (b"dog", "83646f67"),
        ([b"cat", b"dog"], "c88363617483646f67"),
        (b"", "80"),
        ([], "c0"),
        (0, "80"),
        (b"\x00", "00"),
        (15, "0f"),
        (1024, "820400"),
        ([[], [[]], [[], [[]]]], "c7c0c1c0c3c0c1c0"),
        (b"Lorem ipsum dolor sit amet, consectetur adipisicing elit", "b838" + b"Lorem ipsum dolor sit amet, consectetur adipisicing elit".hex()),
    ],
)  # fmt: skip
def test_published_examples(value: object, encoded: str) -> None:
    assert rlp.encode(value).hex() == encoded  # type: ignore[arg-type]
    if not isinstance(value, int):
        assert rlp.decode(bytes.fromhex(encoded)) == value


@given(Nested)
def test_decoding_undoes_encoding(value: object) -> None:
    encoded = independent.rlp(value)
    assert rlp.encode(value) == encoded  # type: ignore[arg-type]
    assert rlp.decode(encoded) == value


@given(st.binary(max_size=80))
def test_one_encoding_for_each_value(data: bytes) -> None:
    """What decodes at all, encodes to the same bytes."""
    try:
        value = rlp.decode(data)
    except CodecError:
        return
    assert rlp.encode(value) == data


@pytest.mark.parametrize(
    "encoded",
    [
        "", "8100", "817f", "b800", "b837" + "00" * 55, "b90038" + "00" * 56, "f800", "f837" + "c0" * 55, "83646f", "83646f6767",
        "c883636174", "c0c0", "8080", "bf" + "ff" * 8, "ff" + "ff" * 8, "b8", "f9ff", "c18100", "c281" + "05", "bc0000000001" + "00",
    ],
)  # fmt: skip
def test_other_encodings_are_refused(encoded: str) -> None:
    with pytest.raises(CodecError):
        rlp.decode(bytes.fromhex(encoded))


def test_bounds() -> None:
    deep = b"\xc0"
    for _ in range(rlp.DEPTH_MAX + 1):
        deep = rlp.encode([rlp.decode(deep)]) if len(deep) < 10 else bytes([0xC0 + len(deep)]) + deep
    with pytest.raises(CodecError):
        rlp.decode(deep)
    many = rlp.encode([b""] * (rlp.ITEMS_MAX + 1))
    with pytest.raises(CodecError):
        rlp.decode(many)


@pytest.mark.parametrize("value", [True, -1, "text", 1.5, bytearray(b"x"), None])
def test_only_bytes_numbers_and_sequences_are_encoded(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        rlp.encode(value)  # type: ignore[arg-type]


def test_numbers_have_no_leading_zeros() -> None:
    assert rlp.natural(b"") == 0 and rlp.natural(b"\x04\x00") == 1024
    for wrong in (b"\0", b"\0\1", [b"\1"]):
        with pytest.raises(CodecError):
            rlp.natural(wrong)  # type: ignore[arg-type]


# ── the tree ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def block(count: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % i).digest() for i in range(count)]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 600), st.data())
def test_every_leaf_reaches_the_root_and_no_other(count: int, data: st.DataObject) -> None:
    s = independent.SUITES["ECDSA"]
    index = data.draw(st.integers(0, count - 1))
    hashes = block(count)
    due = independent.root(s, independent.leaves(hashes))
    assert fisco2_tree.root_of(tuple(hashes), algorithm="KECCAK-256") == due
    units = tuple(
        (tuple(map(bytes.fromhex, u["left"])), tuple(map(bytes.fromhex, u["right"])))
        for u in independent.proof(s, independent.leaves(hashes), index)
    )
    walked = fisco2_tree.walk(hashes[index], units, index=index, algorithm="KECCAK-256")
    assert (walked.root, walked.index, walked.levels) == (due, index, fisco2_tree.levels_of(count))
    assert fisco2_tree.index_of(units) == index
    other = data.draw(st.integers(0, 4200).filter(lambda i: i != index))
    with pytest.raises(PathError):
        fisco2_tree.walk(hashes[index], units, index=other, algorithm="KECCAK-256")
    strange = data.draw(st.sampled_from([hashlib.sha256(b"strange").digest(), *(h for h in hashes[:3] if h != hashes[index])]))
    assert fisco2_tree.walk(strange, units, index=index, algorithm="KECCAK-256").root != due


def test_no_leaf_and_too_many() -> None:
    for wrong in ((), (b"\0" * 32,) * (fisco2_tree.LEAVES_MAX + 1)):
        with pytest.raises(PathError):
            fisco2_tree.root_of(wrong, algorithm="KECCAK-256")
    for units in ((), (((), ()),) * 65, (((b"x",), ()),)):
        with pytest.raises(PathError):
            fisco2_tree.walk(b"\0" * 32, units, index=0, algorithm="KECCAK-256")
