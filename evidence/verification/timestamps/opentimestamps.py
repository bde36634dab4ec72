"""OpenTimestamps proofs (`.ots`): read and paired with their file, not followed to Bitcoin (format of python-opentimestamps 0.4).

A proof is a tree of operations from the digest of a file to attestations. A calendar's attestation is a promise to put the
commitment into Bitcoin; a Bitcoin attestation says that the commitment is the Merkle root of a block, which only the headers of
that chain can show, and the court's trust store holds none. So nothing here becomes proof: what is promised is said, and what
could be proven with a block header is named.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from .. import digests
from ..codecs.quotation import quote
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..verdict import Bearing, Examination, Finding, failed, indeterminate, passed

FORMAT = "OTS.FORMAT"
IMPRINT = "OTS.IMPRINT"
ATTESTATION = "OTS.ATTESTATION"

MAGIC = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94"
PROOF_BYTES_MAX = 256 << 10
"""A proof with several calendars and Bitcoin paths is under 10 KB."""
MESSAGE_MAX = 4096
"""Bytes of an operand or a message, as the reference implementation bounds them."""
DEPTH_MAX = 256
"""Branches open at a time, likewise."""
STEPS_MAX = 20_000
"""Operations and attestations of one proof; each operation hashes at most one message."""
PAYLOAD_MAX = 8192
"""Bytes of one attestation, likewise."""
NAMED_MAX = 8

_VERSION = 1
_PENDING = bytes.fromhex("83dfe30d2ef90c8e")
_BITCOIN = bytes.fromhex("0588960d73d71901")
_FILE_DIGESTS = {0x02: ("SHA-1", 20), 0x03: ("RIPEMD-160", 20), 0x08: ("SHA-256", 32), 0x67: ("KECCAK-256", 32)}
_ATTESTED, _FORK = 0x00, 0xFF
_APPEND, _PREPEND = 0xF0, 0xF1


class ProofError(ValueError):
    """Not a proof; the message says where."""


@dataclass(slots=True)
class Proof:
    """What a proof says. `pending`: addresses of calendars; `bitcoin`: (height, commitment as it would stand in the block);
    `unknown`: attestations of other kinds."""

    algorithm: str
    digest: bytes
    pending: list[str] = field(default_factory=list)
    bitcoin: list[tuple[int, bytes]] = field(default_factory=list)
    unknown: int = 0


def sniff(source: Source) -> int:
    return 95 if source.head(len(MAGIC)) == MAGIC else 0


def examine(sources: Sequence[Source], context: Context) -> Examination:
    """Each proof is paired with the file whose digest it carries, else with the file whose name it extends by `.ots`."""
    findings: list[Finding] = []
    spoken_of: set[Source] = set()
    for source in sources:
        data = source.read(PROOF_BYTES_MAX)
        if data is None:
            size = f"{source.size} bytes"
            findings.append(
                indeterminate(FORMAT, Reason.RESOURCE_LIMIT, source.name, actual=size, bearing=Bearing.DECISIVE)
            )
            continue
        try:
            proof = read(data)
        except ProofError as fault:
            findings.append(failed(FORMAT, Reason.FORMAT_FAILURE, source.name, actual=str(fault)))
            continue
        file, imprint = _pair(proof, source, context)
        if file is not None:
            spoken_of.add(file)
        findings += [passed(FORMAT, source.name), imprint, _attestation(proof, source.name)]
    return Examination(
        findings=tuple(findings),
        spoken_of=frozenset(f for f in spoken_of if f in context.content),
        not_proven=("NOT_PROVEN.AUTHOR", "NOT_PROVEN.MAKING_TIME"),
    )


def read(data: bytes) -> Proof:
    """Raises ProofError."""
    if not data.startswith(MAGIC):
        raise ProofError("no OpenTimestamps proof")
    reader = _Reader(data, len(MAGIC))
    if reader.number() != _VERSION:
        raise ProofError("unknown version")
    kind = reader.take(1)[0]
    if kind not in _FILE_DIGESTS:
        raise ProofError(f"unknown digest 0x{kind:02x} of the file")
    algorithm, size = _FILE_DIGESTS[kind]
    proof = Proof(algorithm, reader.take(size))
    for tag, payload, message in _attestations(reader, proof.digest):
        if tag == _PENDING:
            inner = _Reader(payload, 0)
            proof.pending.append(quote(inner.octets(0, 1000)))
            inner.end()
        elif tag == _BITCOIN:
            inner = _Reader(payload, 0)
            proof.bitcoin.append((inner.number(), message[::-1]))
            inner.end()
        else:
            proof.unknown += 1
    reader.end()
    return proof


class _Reader:
    def __init__(self, data: bytes, position: int) -> None:
        self._data, self._position = data, position

    def take(self, count: int) -> bytes:
        data = self._data[self._position : self._position + count]
        if len(data) < count:
            raise ProofError(f"cut off at byte {len(self._data)}")
        self._position += count
        return data

    def number(self) -> int:
        """Seven bits at a time, the lowest first; in the fewest bytes."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                if shift and not byte:
                    raise ProofError("a number in more bytes than it needs")
                return value
            shift += 7
            if shift > 56:
                raise ProofError("a number beyond 63 bits")

    def octets(self, least: int, most: int) -> bytes:
        size = self.number()
        if not least <= size <= most:
            raise ProofError(f"{size} bytes where {least} to {most} may stand")
        return self.take(size)

    def end(self) -> None:
        if self._position != len(self._data):
            raise ProofError(f"{len(self._data) - self._position} bytes after the end")


def _ripemd160(message: bytes) -> bytes:
    from Crypto.Hash import RIPEMD160

    return RIPEMD160.new(message).digest()


_UNARY: dict[int, Callable[[bytes], bytes]] = {
    0x02: lambda m: hashlib.sha1(m, usedforsecurity=False).digest(),
    0x03: _ripemd160,
    0x08: lambda m: hashlib.sha256(m).digest(),
    0x67: lambda m: digests.digest("KECCAK-256", m),
    0xF2: lambda m: m[::-1],
    0xF3: lambda m: m.hex().encode("ascii"),
}


def _attestations(reader: _Reader, message: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """(kind, payload, message attested) of every leaf. A fork keeps its message for the branches that follow."""
    open_: list[bytes] = []
    for _ in range(STEPS_MAX):
        tag = reader.take(1)[0]
        if tag == _FORK:
            if len(open_) >= DEPTH_MAX:
                raise ProofError(f"more than {DEPTH_MAX} branches")
            open_.append(message)
        elif tag == _ATTESTED:
            yield reader.take(8), reader.octets(0, PAYLOAD_MAX), message
            if not open_:
                return
            message = open_.pop()
        elif tag in (_APPEND, _PREPEND):
            operand = reader.octets(1, MESSAGE_MAX)
            message = message + operand if tag == _APPEND else operand + message
        elif tag in _UNARY:
            message = _UNARY[tag](message)
        else:
            raise ProofError(f"unknown operation 0x{tag:02x}")
        if len(message) > MESSAGE_MAX:
            raise ProofError(f"a message of more than {MESSAGE_MAX} bytes")
    raise ProofError(f"more than {STEPS_MAX} operations")


def _pair(proof: Proof, source: Source, context: Context) -> tuple[Source | None, Finding]:
    expected = f"{proof.algorithm} {proof.digest.hex()}"
    if proof.algorithm == "RIPEMD-160":
        return None, indeterminate(
            IMPRINT, Reason.CRYPTO_CONSTRAINTS_FAILURE, source.name, expected=expected, bearing=Bearing.DECISIVE
        )
    others = [s for s in context.exhibit.sources if s is not source]
    found = next((s for s in others if s.digest(proof.algorithm) == proof.digest), None)
    if found is not None:
        subject = f"{source.name} · {found.name}"
        if proof.algorithm in digests.BROKEN:
            weak = Reason.CRYPTO_CONSTRAINTS_FAILURE
            return found, indeterminate(IMPRINT, weak, subject, expected=expected, actual=expected)
        return found, passed(IMPRINT, subject, expected=expected, actual=expected)
    named = next((s for s in others if source.name == f"{s.name}.ots"), None)
    if named is not None:
        actual = f"{proof.algorithm} {named.digest(proof.algorithm).hex()}"
        subject = f"{source.name} · {named.name}"
        return None, failed(IMPRINT, Reason.HASH_FAILURE, subject, expected=expected, actual=actual)
    missing = Reason.SIGNED_DATA_NOT_FOUND
    return None, indeterminate(IMPRINT, missing, source.name, expected=expected, bearing=Bearing.DECISIVE)


def _attestation(proof: Proof, subject: str) -> Finding:
    """Never PASSED: a promise is no proof, and the headers of Bitcoin are not among the court's anchors."""
    notes = (
        *(f"OTS_BITCOIN_BLOCK:{height} {root.hex()}" for height, root in proof.bitcoin[:NAMED_MAX]),
        *(f"OTS_CALENDAR:{address}" for address in proof.pending[:NAMED_MAX]),
        *((f"OTS_UNKNOWN_ATTESTATIONS:{proof.unknown}",) if proof.unknown else ()),
    )
    if proof.bitcoin:
        reason = Reason.ANCHOR_UNAVAILABLE
    else:
        reason = Reason.PROMISE_ONLY if proof.pending else Reason.UNSUPPORTED_FORMAT
    return indeterminate(ATTESTATION, reason, subject, notes=notes)
