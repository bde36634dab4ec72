"""Strict reading of contract calls and events (Solidity contract ABI specification, versions 0.4 to 0.8).

Only the canonical encoding is taken: tails in the order of their heads and without gaps, zero padding, nothing behind the
last byte. A call that two programs could split differently proves nothing. Method ids and event topics are the chain's own
hash of the signature (Keccak-256, or SM3 on a guomi chain), so both are known here.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from .. import digests
from ..codecs.text import CodecError

WORD = 32
SELECTOR = 4
ID_HASHES = ("KECCAK-256", "SM3")
PARAMETERS_MAX = 16
"""Stack depth of the EVM: no compiler makes a method with more."""

CREATE = "createSaveRequest(bytes32,bytes)"
VOTE = "voteSaveRequest(bytes32)"
SAVED = "EvidenceSaved(bytes32)"

METHODS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # WeBank EvidenceController (smart-dev-contract): a request, then votes until the threshold is reached.
        CREATE: ("hash", "ext"),
        VOTE: ("hash",),
        # FISCO BCOS evidence samples: user, evidence platform and arbitrator sign one after another.
        # EvidenceSignersData
        "newEvidence(string,string,string,uint8,bytes32,bytes32)": ("evi", "info", "id", "v", "r", "s"),
        "addSignatures(uint8,bytes32,bytes32)": ("v", "r", "s"),
        # EvidenceFactory
        "newEvidence(string)": ("evi",),
        "addSignatures(address)": ("addr",),
        "addSignatures()": (),
    }
)
"""Known evidence methods -> names of their parameters."""

_SAMPLE = (("evi", False), ("info", False), ("id", False), ("v", False), ("r", False), ("s", False))

EVENTS: Mapping[str, tuple[tuple[str, bool], ...]] = MappingProxyType(
    {
        "CreateSaveRequest(bytes32,address)": (("hash", True), ("creator", False)),
        "VoteSaveRequest(bytes32,address,bool)": (("hash", True), ("voter", False), ("complete", False)),
        SAVED: (("hash", True),),
        "newEvidenceEvent(address)": (("addr", False),),
        **{
            f"{name}(string,string,string,uint8,bytes32,bytes32{tail})": (*_SAMPLE, *((("addr", False),) if tail else ()))
            for name, tail in (
                ("newSignaturesEvent", ",address"),
                ("errorNewSignaturesEvent", ",address"),
                ("addSignaturesEvent", ""),
                ("errorAddSignaturesEvent", ",address"),
            )
        },
        "newSignaturesEvent(string,address)": (("evi", False), ("addr", False)),
        "errorNewSignaturesEvent(string,address)": (("evi", False), ("addr", False)),
        "addSignaturesEvent(string)": (("evi", False),),
        "errorAddSignaturesEvent(string,address)": (("evi", False), ("addr", False)),
    }
)
"""Known evidence events -> (name, indexed) of their parameters."""

_SIGNATURE = re.compile(r"([A-Za-z_$][A-Za-z0-9_$]{0,127})\(([a-z0-9]{3,8}(?:,[a-z0-9]{3,8})*)?\)", re.ASCII)
_STATIC = re.compile(r"bytes([1-9]|[12][0-9]|3[0-2])|u?int(\d{1,3})|address|bool", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call:
    """A method call or event that was read: `parameters` are (name, value) with the value's own bytes."""

    signature: str
    parameters: tuple[tuple[str, bytes], ...]


def types_of(signature: str) -> tuple[str, ...]:
    """`name(type,type)` -> its types. CodecError for a type that this reader does not know (arrays, tuples)."""
    found = _SIGNATURE.fullmatch(signature)
    if not found:
        raise CodecError("not a method signature")
    types = tuple(found[2].split(",")) if found[2] else ()
    if len(types) > PARAMETERS_MAX or not all(t in ("bytes", "string") or _is_static(t) for t in types):
        raise CodecError("a parameter type that is not read")
    return types


@cache
def identifiers(signature: str) -> tuple[bytes, ...]:
    """The 32-byte hashes of a signature under each chain hash; a method's id is the first four bytes."""
    return tuple(digests.digest(algorithm, signature.encode()) for algorithm in ID_HASHES)


def call(data: bytes, *, further: Iterable[str] = ()) -> Call | None:
    """Call data -> the call of a known method, or of one of the `further` signatures; None for any other method.

    CodecError when the id is known and the parameters are not in canonical form. Parameters of further methods are named
    `0`, `1`, …
    """
    for signature in (*METHODS, *further):
        if any(data[:SELECTOR] == full[:SELECTOR] for full in identifiers(signature)):
            types = types_of(signature)
            names = METHODS.get(signature, tuple(str(i) for i in range(len(types))))
            values = decode(types, data[SELECTOR:])
            return Call(signature, tuple(zip(names, values, strict=True)))
    return None


def event(topics: Sequence[bytes], data: bytes) -> Call | None:
    """Topics and data of a log -> the known event, or None. CodecError when a known event is not in canonical form."""
    for signature, parameters in EVENTS.items():
        if topics and topics[0] in identifiers(signature):
            types = types_of(signature)
            indexed = [t for t, (_, is_indexed) in zip(types, parameters, strict=True) if is_indexed]
            plain = [t for t, (_, is_indexed) in zip(types, parameters, strict=True) if not is_indexed]
            if len(topics) != 1 + len(indexed):
                raise CodecError("an event with another number of topics")
            in_topics = iter([decode((t,), topic)[0] for t, topic in zip(indexed, topics[1:], strict=True)])
            in_data = iter(decode(plain, data))
            values = tuple(
                (name, next(in_topics if is_indexed else in_data)) for name, is_indexed in parameters
            )
            return Call(signature, values)
    return None


def decode(types: Sequence[str], data: bytes) -> tuple[bytes, ...]:
    """Encoded parameters -> their bytes: `bytesN` N bytes, numbers and flags one word, addresses 20 bytes, texts as they are.

    CodecError unless `data` is exactly the canonical encoding.
    """
    heads = [data[i * WORD : (i + 1) * WORD] for i in range(len(types))]
    if any(len(head) != WORD for head in heads):
        raise CodecError("call data shorter than its parameters")
    values, tail = [], len(types) * WORD
    for kind, head in zip(types, heads, strict=True):
        if kind not in ("bytes", "string"):
            values.append(_static(kind, head))
            continue
        if int.from_bytes(head) != tail:
            raise CodecError("a parameter that does not stand where the canonical form puts it")
        size_word = data[tail : tail + WORD]
        size = int.from_bytes(size_word)
        start = tail + WORD
        tail = start + -(-size // WORD) * WORD
        if len(size_word) != WORD or tail > len(data):
            raise CodecError("a parameter longer than the call data")
        value, padding = data[start : start + size], data[start + size : tail]
        if any(padding):
            raise CodecError("padding that is not zero")
        if kind == "string":
            _check_text(value)
        values.append(value)
    if tail != len(data):
        raise CodecError("bytes behind the parameters")
    return tuple(values)


def _is_static(kind: str) -> bool:
    found = _STATIC.fullmatch(kind)
    if not found:
        return False
    return found[2] is None or (found[2][0] != "0" and int(found[2]) % 8 == 0 and 8 <= int(found[2]) <= 256)


def _static(kind: str, word: bytes) -> bytes:
    """One word -> the value's bytes, its padding checked against the width of the type."""
    if kind.startswith("bytes"):
        width = int(kind[5:])
        value, padding = word[:width], word[width:]
        if any(padding):
            raise CodecError("padding that is not zero")
        return value
    if kind == "address":
        if any(word[:12]):
            raise CodecError("an address of more than 20 bytes")
        return word[12:]
    if kind == "bool":
        if int.from_bytes(word) > 1:
            raise CodecError("a flag that is neither 0 nor 1")
        return word
    bits = int(kind.lstrip("uint"))
    number = int.from_bytes(word, signed=kind.startswith("int"))
    if kind.startswith("uint") and number >> bits:
        raise CodecError("a number wider than its type")
    if kind.startswith("int") and not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise CodecError("a number wider than its type")
    return word


def _check_text(value: bytes) -> None:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise CodecError("a text that is not UTF-8") from fault
