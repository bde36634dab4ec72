"""What a FISCO BCOS 2.x node hashes: the RLP of header, transaction and receipt (spec consortium-chains §5 steps 1, 2 and 4).

RLP has borders, so one hash belongs to one reading. Where a node prints one value in two ways (the address of a creation, the gas
that remains) both are tried, and the one that matched is named.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .. import digests
from ..codecs import rlp
from .fisco2_records import ZERO_ADDRESS, Header, Receipt, Transaction
from .node_json import address

V_BASE = 27
"""Added to the parity bit of an ECDSA signature (VBase of libethcore/Transaction)."""


@dataclass(frozen=True, slots=True)
class Matched:
    """The hash under which a transaction agrees with what the node calls it, and the hash that its sender signed.

    rendering   the way of printing that matched, "" when the record was printed as it is hashed
    """

    hash: bytes
    signed: bytes
    rendering: str


def header_hash(header: Header, *, algorithm: str) -> bytes:
    """libethcore/BlockHeader.cpp streamRLPFields: thirteen fields, the list of sealers among them."""
    return digests.digest(
        algorithm,
        rlp.encode(
            [
                header.parent,
                header.state_root,
                header.txs_root,
                header.receipts_root,
                header.db_hash,
                header.bloom,
                header.number,
                header.gas_limit,
                header.gas_used,
                header.timestamp,
                header.extra_data,
                header.sealer,
                header.sealers,
            ]
        ),
    )


def transaction_hash(t: Transaction, *, algorithm: str) -> Matched | None:
    """None when no documented rendering gives the hash that the record carries; it must be complete (`missing` empty)."""
    signature = t.signature
    if signature is None:
        return None
    v = signature.v if isinstance(signature.v, bytes) else signature.v + V_BASE
    # Nodes print the creation of a contract as a call of the zero address; a real call of it is hashed with its zeros.
    receivers = [("", t.to)] if t.to else [("to=create", b""), ("to=zero", ZERO_ADDRESS)]
    for rendering, to in receivers:
        unsigned = [
            t.nonce, t.gas_price, t.gas, t.block_limit, to, t.value, t.input or b"", int(t.chain_id or 0), int(t.group_id or 0),
            t.extra_data,
        ]  # fmt: skip
        found = digests.digest(algorithm, rlp.encode([*unsigned, v, signature.r, signature.s]))
        if found == t.hash:
            return Matched(found, digests.digest(algorithm, rlp.encode(unsigned)), rendering)
    return None


def receipt_hashes(receipt: Receipt, *, algorithm: str) -> Iterator[tuple[str, bytes]]:
    """(rendering, hash): with the gas that remains, as chains from 2.9 on hash it, and without. The node names no hash of it."""
    logs = [[bytes.fromhex(address(log.address)[2:]), log.topics, log.data] for log in receipt.logs]
    head = [
        receipt.root or b"", receipt.gas_used, receipt.contract_address, receipt.bloom or b"", receipt.status, receipt.output or b"",
    ]  # fmt: skip
    if receipt.remain_gas is not None:
        yield "remainGas", digests.digest(algorithm, rlp.encode([*head, receipt.remain_gas, logs]))
    yield "", digests.digest(algorithm, rlp.encode([*head, logs]))
