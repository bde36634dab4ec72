"""A signed Ethereum transaction, as it was submitted: strict RLP of a legacy (EIP-155 or before), EIP-2930 or EIP-1559 transaction.

FISCO BCOS 3 takes such transactions and calls each by the Keccak-256 of these bytes. Blob (3), set-code (4) and other envelopes are told
to be unsupported.
"""

from dataclasses import dataclass
from functools import lru_cache

from .. import digests
from ..codecs import rlp
from ..codecs.text import CodecError
from ..keys import secp256k1
from .node_json import ADDRESS_BYTES

BYTES_MAX = 1 << 20
"""A transaction; nodes take 128 KiB."""
_FIELDS = {1: 11, 2: 12}
"""Envelope type -> fields of its list: … to, value, data, accessList, yParity, r, s at the end."""
_LEGACY_FIELDS = 9


class UnsupportedEnvelope(CodecError):
    """A type of transaction that this reader does not know."""


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """`to` None: creates a contract. `sender` None: the signature is by no key."""

    hash: bytes
    to: bytes | None
    data: bytes
    sender: bytes | None


@lru_cache(maxsize=256)
def read(raw: bytes) -> SignedTransaction:
    """CodecError unless `raw` is exactly one transaction in its one encoding."""
    if len(raw) > BYTES_MAX:
        raise CodecError("a transaction larger than any")
    # EIP-2718: a list, or a type below 0x80 and its payload.
    if not raw or 0x80 <= raw[0] < 0xC0:
        raise CodecError("no transaction")
    kind = 0 if raw[0] >= 0xC0 else raw[0]
    if kind not in (0, *_FIELDS):
        raise UnsupportedEnvelope(f"envelope type {kind}")
    fields = rlp.decode(raw[1:] if kind else raw)
    if not isinstance(fields, list) or len(fields) != _FIELDS.get(kind, _LEGACY_FIELDS):
        raise CodecError("a transaction with other fields")
    v, r, s = (rlp.natural(item) for item in fields[-3:])
    body = fields[:-3]
    if kind:
        _check_access_list(body[-1])
        to, value, data = body[-4:-1]
        parity, unsigned = v, bytes([kind]) + rlp.encode(body)
        numbers = body[:-4]
    else:
        to, value, data = body[-3:]
        numbers = body[:-3]
        # EIP-155: v = 35 + 2·chain id + parity, and the chain id is signed too; before it, v = 27 + parity.
        parity = (v - 35) % 2 if v >= 35 else v - 27
        unsigned = rlp.encode([*body, (v - 35) // 2, 0, 0] if v >= 35 else body)
    for number in (*numbers, value):
        rlp.natural(number)
    if not isinstance(to, bytes) or len(to) not in (0, ADDRESS_BYTES) or not isinstance(data, bytes):
        raise CodecError("a transaction with other fields")
    key = secp256k1.recover(digests.digest("KECCAK-256", unsigned), r, s, parity)
    return SignedTransaction(
        hash=digests.digest("KECCAK-256", raw),
        to=to or None,
        data=data,
        sender=digests.digest("KECCAK-256", key)[-ADDRESS_BYTES:] if key else None,
    )


def _check_access_list(item: rlp.Item) -> None:
    """EIP-2930: [[address, [32-byte keys]], …]."""
    if not isinstance(item, list):
        raise CodecError("an access list that is none")
    for entry in item:
        if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], bytes) or not isinstance(entry[1], list):
            raise CodecError("an access list that is none")
        if len(entry[0]) != ADDRESS_BYTES or any(not isinstance(key, bytes) or len(key) != 32 for key in entry[1]):
            raise CodecError("an access list that is none")
