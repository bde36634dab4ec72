"""What a FISCO BCOS 3.x node hashes: the byte layouts of header, transaction and receipt (TarsHashable.h), and their borders.

No field has a length prefix, so the same bytes can be split in several ways. Where another split would be another call, the
hash does not say which of the two was recorded, and the transaction is reported as ambiguous instead of matched: a contract
that anybody may write could otherwise pose as the evidence contract.

Nodes print some values in more than one way; every documented rendering is tried and the one that matched is named.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .. import digests
from ..codecs.text import CodecError, hex_bytes
from .evidence_contracts import Log
from .fisco3_records import Header, Receipt, Transaction

TRANSACTION_VERSIONS = (0, 1, 2)
RECEIPT_VERSIONS = (0, 1, 2)
NODE_PREIMAGES = (32, 64)
"""Bytes that the tree hashes for an inner node: one or two children."""

NONCE_DIGITS_MAX = 78
"""Decimal digits of 2^256: the nonces that SDKs draw."""
NONCE_BYTES_MAX = 32
"""Bytes of a nonce that is not decimal text: a number of 256 bits."""
QUANTITY_DIGITS_MAX = 39
"""Characters of an amount: more than any supply, less than an address."""

_ADDRESS_INSIDE = re.compile(rb"0[xX][0-9a-fA-F]{40}|(?<![0-9a-fA-F])[0-9a-fA-F]{40}(?![0-9a-fA-F])")
"""Bytes that could have been the `to` of another reading: an address with 0x, or standing alone without it."""


@dataclass(frozen=True, slots=True)
class Matched:
    """The hash under which a record agrees with what the node calls it.

    rendering   the documented way of writing that matched, "" when the record was printed as it is hashed
    ambiguous   the same bytes can be read as another call
    """

    hash: bytes
    rendering: str
    ambiguous: bool = False


def header_preimage(header: Header) -> bytes:
    """§6 step 1. Unambiguous once the forms of `fisco3_records.header` hold and the sealers are the pinned ones."""
    return b"".join(
        (
            _i32(header.version),
            *(_i64(number) + parent for number, parent in header.parents),
            header.txs_root,
            header.receipts_root,
            header.state_root,
            _i64(header.number),
            header.gas_used.encode(),
            _i64(header.timestamp),
            _i64(header.sealer),
            *header.sealers,
            header.extra_data,
            *(_i64(weight) for weight in header.weights),
        )
    )


def header_hash(header: Header, *, algorithm: str) -> bytes:
    return digests.digest(algorithm, header_preimage(header))


def transaction_hash(transaction: Transaction, *, algorithm: str) -> Matched | None:
    """§6 step 2: the rendering whose hash is the transaction's own; None when no documented one is.

    The record must be complete (`missing` empty), of a known version, and carry its hash.
    """
    for rendering, nonce in _nonces(transaction.nonce or ""):
        for also, amounts in _amounts(transaction):
            preimage = _transaction_preimage(transaction, nonce, amounts)
            if digests.digest(algorithm, preimage) == transaction.hash:
                return Matched(
                    digests.digest(algorithm, preimage),
                    ", ".join(r for r in (rendering, also) if r),
                    _is_ambiguous(transaction, nonce, preimage),
                )
    return None


def receipt_hash(receipt: Receipt, *, algorithm: str) -> Matched | None:
    """§6 step 3, like `transaction_hash`."""
    for contract_rendering, contract in _addresses(receipt.contract_address, "contractAddress"):
        for log_rendering, logs in _log_renderings(receipt.logs or ()):
            found = digests.digest(algorithm, _receipt_preimage(receipt, contract, logs))
            if found == receipt.hash:
                return Matched(found, ", ".join(r for r in (contract_rendering, log_rendering) if r))
    return None


def _transaction_preimage(t: Transaction, nonce: bytes, amounts: tuple[str, str, str, str]) -> bytes:
    value, gas_price, max_fee, max_priority_fee = amounts
    parts = [
        _i32(t.version),
        (t.chain_id or "").encode(),
        (t.group_id or "").encode(),
        _i64(t.block_limit or 0),
        nonce,
        (t.to or "").encode(),
        t.input or b"",
        t.abi.encode(),
    ]
    if t.version >= 1:
        parts += [value.encode(), gas_price.encode(), _i64(t.gas_limit), max_fee.encode(), max_priority_fee.encode()]
    if t.version >= 2:
        parts.append(t.extension)
    return b"".join(parts)


def _receipt_preimage(r: Receipt, contract: str, logs: tuple[Log, ...]) -> bytes:
    return b"".join(
        (
            _i32(r.version),
            (r.gas_used or "").encode(),
            contract.encode(),
            _i32(r.status or 0),
            r.output or b"",
            r.effective_gas_price.encode() if r.version >= 1 else b"",
            *(log.address.encode() + b"".join(log.topics) + log.data for log in logs),
            _i64(r.block_number or 0),
        )
    )


def hides_transaction(nodes: Iterable[bytes], names: str) -> bool:
    """Whether one of the nodes (bytes of a group of children) is the body of a transaction of this chain.

    A body of 64 bytes is hashed like two children: who has recorded one that ends in the hash of a transaction that never was could
    walk from that one to the root, over his own. Every body of a chain begins with its version and the `names` of chain and group.
    """
    return any(node.startswith(_i32(version) + names.encode()) for node in nodes for version in TRANSACTION_VERSIONS)


def hides_receipt(nodes: Iterable[bytes], block_number: int) -> bool:
    """The same of receipts: a body begins with its version and the gas used as decimal text, and ends with the number of the block."""
    end = _i64(block_number)
    return any(
        node.endswith(end) and node.startswith(_i32(version)) and node[4:5].isdigit()
        for node in nodes
        for version in RECEIPT_VERSIONS
    )


def path_nodes(items: Sequence[bytes]) -> Iterator[bytes]:
    """The bytes that are hashed for each group of a path that was walked (a count, then as many members, per level)."""
    at = 0
    while at < len(items) and len(items) > 1:
        count = int.from_bytes(items[at][:4])
        yield b"".join(items[at + 1 : at + 1 + count])
        at += 1 + count


def list_nodes(leaves: Sequence[bytes]) -> Iterator[bytes]:
    """The same for the groups of leaves of a whole list."""
    return (b"".join(leaves[i : i + 2]) for i in range(0, len(leaves) if len(leaves) > 1 else 0, 2))


def _is_ambiguous(t: Transaction, nonce: bytes, preimage: bytes) -> bool:
    """Whether the hashed bytes can be another call, or a node of the tree.

    1. The tree has no mark that tells its nodes from its leaves: a body as long as a node's children is refused.
    2. A nonce is a short number. A longer one could have swallowed the contract that was really called.
    3. Behind `to`, nothing may look like another `to`: an address in a parameter could be the contract that was called, and
       all before it the nonce. A digest as hex text is longer than an address and stays allowed.
    4. Amounts are shorter than an address, for the same reason; a call carries no ABI and no extension.
    """
    if len(preimage) in NODE_PREIMAGES:
        return True
    if not (nonce.isdigit() and len(nonce) <= NONCE_DIGITS_MAX) and len(nonce) > NONCE_BYTES_MAX:
        return True
    if not t.to:
        return False
    amounts = (t.value, t.gas_price, t.max_fee, t.max_priority_fee) if t.version >= 1 else ()
    return bool(
        _ADDRESS_INSIDE.search(t.input or b"")
        or t.abi
        or t.extension
        or any(len(a) > QUANTITY_DIGITS_MAX for a in amounts)
    )


def _nonces(text: str) -> Iterator[tuple[str, bytes]]:
    """Nodes up to 3.5 print the decimal text that is hashed, later ones the hex of its bytes (JsonRpcImpl_2_0.cpp)."""
    if text.isascii() and text.isdigit() and len(text) <= NONCE_DIGITS_MAX:
        yield "", text.encode()
    try:
        yield "nonce=hex", hex_bytes(text.removeprefix("0x"))
    except CodecError:
        return


def _amounts(t: Transaction) -> Iterator[tuple[str, tuple[str, str, str, str]]]:
    """Amounts are hashed as the text that was sent; nodes print the value as a quantity ("0x0" for an empty one)."""
    rest = (t.gas_price, t.max_fee, t.max_priority_fee)
    yield "", (t.value, *rest)
    if t.version < 1:
        return
    if t.value == "0x0":
        yield "value=empty", ("", *rest)
    if re.fullmatch(r"0x[0-9a-f]{1,32}", t.value):
        yield "value=decimal", (str(int(t.value, 16)), *rest)


def _addresses(text: str, name: str) -> Iterator[tuple[str, str]]:
    """JSON may add the 0x that is not hashed, or leave out one that is."""
    yield "", text
    if text:
        bare = text.removeprefix("0x")
        yield f"{name}=0x", ("0x" + text if bare == text else bare)


def _log_renderings(logs: tuple[Log, ...]) -> Iterator[tuple[str, tuple[Log, ...]]]:
    yield "", logs
    if logs:
        other = tuple(
            Log(next(a for r, a in _addresses(log.address, "log") if r), log.topics, log.data) for log in logs
        )
        yield "log=0x", other


def _i32(value: int) -> bytes:
    return value.to_bytes(4, signed=True)


def _i64(value: int) -> bytes:
    return value.to_bytes(8, signed=True)
