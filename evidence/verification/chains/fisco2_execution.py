"""Step E of a FISCO BCOS 2.x transaction: did the recording take effect? (spec §5 step 4, §6.1)

A receipt names its transaction only outside its hash. It is bound to it by the index: both trees write the index into the leaf, so the
receipt at the transaction's own index is the transaction's receipt.
"""

from dataclasses import dataclass

from ..merkle import PathError
from ..reasons import Reason
from ..trust import ChainProfile
from ..verdict import Finding, failed, indeterminate, passed
from . import abi, fisco2_tree
from .evidence_contracts import Effect, announced
from .fisco2_hashing import receipt_hashes
from .fisco2_records import Header, Receipt, Transaction
from .fisco2_tree import IndexedPath
from .ladder import EXECUTION
from .location import Place
from .sealers import Suite


@dataclass(frozen=True, slots=True)
class Executed:
    """`events`: what the transaction's own contract logged, once the receipt is bound to the transaction."""

    finding: Finding
    events: tuple[Place, ...] = ()


def execution(
    receipt: Receipt | None,
    *,
    transaction: Transaction | None,
    call: abi.Call | None,
    unread: bool,
    transaction_path: IndexedPath | None,
    header: Header | None,
    too_old: str | None,
    suite: Suite,
    profile: ChainProfile | None,
    subject: str,
) -> Executed:
    """transaction_path   where the transaction stands under the block's root, None while that is not shown
    too_old            the version of a chain whose roots are no trees of this kind
    """

    def open_(reason: Reason, actual: str | None = None) -> Executed:
        return Executed(indeterminate(EXECUTION, reason, subject, actual=actual))

    if receipt is None or receipt.missing:
        return open_(Reason.PROOF_NOT_SUPPLIED, ", ".join(receipt.missing) if receipt else None)
    if too_old is not None:
        return open_(Reason.UNSUPPORTED_FORMAT, too_old)
    if header is None:
        return open_(Reason.PROOF_NOT_SUPPLIED, "block")
    # 1. It stands under the block's root of receipts.
    place, told = _under_root(receipt, header, suite)
    if place is None:
        if receipt.path is None:
            return open_(Reason.PROOF_NOT_SUPPLIED, "receiptProof")
        expected = header.receipts_root.hex()
        return Executed(failed(EXECUTION, Reason.PROOF_FAILURE, subject, expected=expected, actual=told))
    notes = (f"RECEIPT_HASHED_AS:{told}",) if told else ()
    # 2. It is the receipt of this transaction: the same index under the other root.
    if transaction is None or transaction_path is None:
        return open_(Reason.RECEIPT_NOT_BOUND)
    if not place.same_leaf_index(transaction_path):
        return open_(Reason.RECEIPT_NOT_BOUND, f"index {place.index} / {transaction_path.index}")
    unlike = _unlike(receipt, transaction, header)
    if unlike:
        return open_(Reason.RECEIPT_NOT_BOUND, unlike)
    # 3. It reports success.
    if receipt.status != 0:
        actual = f"{receipt.status:#x}"
        return Executed(
            failed(EXECUTION, Reason.EXECUTION_FAILED, subject, expected="0x0", actual=actual, notes=notes)
        )
    # 4. The event that the evidence contract emits once the record is final.
    to = "0x" + transaction.to.hex() if transaction.to else ""
    said = announced(receipt.logs, to=to, call=call, unread=unread, profile=profile)
    notes = (*notes, *said.notes)
    match said.effect:
        case Effect.UNSAID:
            found = passed(EXECUTION, subject, expected="0x0", actual="0x0", notes=notes)
        case Effect.STORED:
            found = passed(EXECUTION, subject, expected=said.wanted, actual=said.wanted, notes=notes)
        case Effect.PENDING:
            reason = Reason.PROMISE_ONLY
            found = indeterminate(EXECUTION, reason, subject, expected=said.wanted, actual=said.seen, notes=notes)
        case Effect.REFUSED:
            reason = Reason.EXECUTION_FAILED
            found = failed(EXECUTION, reason, subject, expected=said.wanted, actual=said.seen, notes=notes)
    return Executed(found, said.events)


def _under_root(receipt: Receipt, header: Header, suite: Suite) -> tuple[IndexedPath | None, str]:
    """(where the receipt stands, the rendering that matched), or (None, where its path leads instead)."""
    units = receipt.path
    if units is None:
        # A block with one transaction: the root is made of its receipt alone.
        units = (((), ()),) if receipt.index in (None, 0) else ()
    index = fisco2_tree.index_of(units) if receipt.index is None else receipt.index
    led = ""
    for rendering, digest in receipt_hashes(receipt, algorithm=suite.hash):
        try:
            walked = fisco2_tree.walk(digest, units, index=index, algorithm=suite.hash)
        except PathError as fault:
            return None, str(fault)
        if walked.root == header.receipts_root:
            return walked, rendering
        led = led or walked.root.hex()
    return None, led


def _unlike(receipt: Receipt, transaction: Transaction, header: Header) -> str:
    """What the receipt says of its transaction (none of it hashed) must not say otherwise. "" when it does not."""
    pairs: tuple[tuple[str, object, object], ...] = (
        ("transactionHash", receipt.transaction_hash, transaction.hash),
        ("from", receipt.sender, transaction.sender),
        # Nodes print the creation of a contract as a call of the zero address.
        ("to", receipt.to, transaction.to or (receipt.to if receipt.to is not None and not any(receipt.to) else b"")),
        ("input", receipt.input, transaction.input),
        ("blockNumber", receipt.block_number, header.number),
        ("blockHash", receipt.block_hash, header.hash),
    )
    return next((name for name, a, b in pairs if a is not None and b is not None and a != b), "")
