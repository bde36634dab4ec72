"""Step E of a FISCO BCOS 3.x transaction: did the recording take effect? (spec §6 step 6 and pitfall 1, §6.1)

A 3.x receipt does not name its transaction: in one real block all 707 receipts are the same bytes. It is bound to the
transaction by standing at the same place of its tree. That the receipt holds a log with the digest is not enough where the
places are known to differ: output and logs are hashed without a border between them, so any contract of the same block can
return bytes that read as another contract's log.
"""

from dataclasses import dataclass

from .. import merkle
from ..reasons import Reason
from ..trust import ChainProfile
from ..verdict import Finding, failed, indeterminate, passed
from . import abi
from .evidence_contracts import NEW_RECORD, Effect, all_known, announced, carries
from .fisco3_hashing import RECEIPT_VERSIONS, Matched, hides_receipt, list_nodes, path_nodes, receipt_hash
from .fisco3_records import Header, Receipt, Transaction
from .ladder import EXECUTION
from .location import Place
from .node_json import address
from .sealers import Suite

BINARY_TREE_SINCE = 0x03020000
"""Header version (3.2.0) from which nodes return paths of the tree whose root is in the header."""
OUTPUT_WORDS_MAX = 1
"""Words that the known evidence methods return: nothing, or one flag."""


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
    transaction_path: merkle.GroupedPath | None,
    receipt_hashes: tuple[bytes, ...] | None,
    header: Header | None,
    suite: Suite,
    profile: ChainProfile | None,
    subject: str,
) -> Executed:
    """`transaction_path`: where the transaction stands under the block's root, None while that is not shown."""

    def open_(reason: Reason, actual: str | None = None) -> Executed:
        return Executed(indeterminate(EXECUTION, reason, subject, actual=actual))

    if receipt is None or receipt.missing:
        return open_(Reason.PROOF_NOT_SUPPLIED, ", ".join(receipt.missing) if receipt else None)
    if receipt.version not in RECEIPT_VERSIONS:
        return open_(Reason.UNSUPPORTED_FORMAT, f"version {receipt.version}")
    if receipt.hash is None:
        return open_(Reason.PROOF_NOT_SUPPLIED, "hash")
    # 1. The receipt hashes to its own id.
    matched = receipt_hash(receipt, algorithm=suite.hash)
    if matched is None:
        return Executed(failed(EXECUTION, Reason.HASH_FAILURE, subject, expected=receipt.hash.hex()))
    if header is None:
        return open_(Reason.PROOF_NOT_SUPPLIED, "block")
    # 2. It stands under the block's root of receipts.
    place = _under_root(receipt, matched, header, suite, receipt_hashes, transaction_path, subject)
    if isinstance(place, Finding):
        return Executed(place)
    # 3. It is the receipt of this transaction.
    if transaction is None or transaction.hash is None:
        return open_(Reason.RECEIPT_NOT_BOUND)
    unlike = _unlike(receipt, transaction, header)
    if unlike:
        return open_(Reason.RECEIPT_NOT_BOUND, unlike)
    logs = receipt.logs or ()
    to = transaction.to or ""
    bound = place.same_leaf_index(transaction_path) if transaction_path else carries(logs, to=to, call=call)
    if not bound:
        return open_(Reason.RECEIPT_NOT_BOUND)
    # 4. It reports success.
    notes = (f"RENDERING_USED:{matched.rendering}",) if matched.rendering else ()
    if receipt.status != 0:
        return Executed(
            failed(EXECUTION, Reason.EXECUTION_FAILED, subject, expected="0", actual=str(receipt.status), notes=notes)
        )
    if transaction.to and receipt.contract_address:
        # A call creates no contract at its own receipt: these bytes were the creation of one.
        return open_(Reason.AMBIGUOUS_PREIMAGE, receipt.contract_address)
    # 5. The event that the evidence contract emits once the record is final.
    said = announced(logs, to=to, call=call, unread=unread, profile=profile)
    if said.effect is Effect.UNSAID and transaction.ethereum:
        # The hash of such a transaction is what the node that took it wrote down: what was run shows in the events alone.
        return open_(Reason.RECEIPT_NOT_BOUND, "–")
    if said.effect is Effect.UNSAID:
        return Executed(passed(EXECUTION, subject, expected="0", actual="0", notes=notes), said.events)
    known = call is not None and call.signature in abi.METHODS
    if known and len(receipt.output or b"") > OUTPUT_WORDS_MAX * abi.WORD:
        # The known methods return a word at most: a longer output is another split of the same bytes.
        return open_(Reason.AMBIGUOUS_PREIMAGE, f"{len(receipt.output or b'')} bytes of output")
    if call is not None and call.signature in NEW_RECORD and not all_known(logs):
        # Their events repeat texts of the sender, who could have written another log into them.
        return open_(Reason.AMBIGUOUS_PREIMAGE, "logs")
    notes = (*notes, *said.notes)
    makers = {Effect.STORED: None, Effect.PENDING: Reason.PROMISE_ONLY, Effect.REFUSED: Reason.EXECUTION_FAILED}
    reason = makers[said.effect]
    if reason is None:
        found = passed(EXECUTION, subject, expected=said.wanted, actual=said.wanted, notes=notes)
    else:
        maker = failed if said.effect is Effect.REFUSED else indeterminate
        found = maker(EXECUTION, reason, subject, expected=said.wanted, actual=said.seen, notes=notes)
    return Executed(found, said.events)


def _under_root(
    receipt: Receipt,
    matched: Matched,
    header: Header,
    suite: Suite,
    receipt_hashes: tuple[bytes, ...] | None,
    transaction_path: merkle.GroupedPath | None,
    subject: str,
) -> merkle.GroupedPath | Finding:
    """Where the receipt stands under receiptsRoot, or why that is not shown.

    With all receipt hashes of the block, the place asked for is the transaction's own (rule 2 of binding).
    """
    if receipt_hashes is not None:
        if not receipt_hashes or merkle.grouped_root(receipt_hashes, algorithm=suite.hash) != header.receipts_root:
            return failed(EXECUTION, Reason.PROOF_FAILURE, subject, expected=header.receipts_root.hex())
        if hides_receipt(list_nodes(receipt_hashes), header.number):
            return failed(EXECUTION, Reason.PROOF_FAILURE, subject, notes=("NODE_IS_A_RECORD",))
        places = [
            merkle.GroupedPath(header.receipts_root, merkle.grouped_positions(index, len(receipt_hashes)))
            for index, listed in enumerate(receipt_hashes)
            if listed == matched.hash
        ]
        mine = (p for p in places if transaction_path and p.same_leaf_index(transaction_path))
        found = next(mine, places[0] if places else None)
        return found or failed(EXECUTION, Reason.PROOF_FAILURE, subject, actual=matched.hash.hex())
    path = receipt.path
    if path.items is None:
        if matched.hash == header.receipts_root:
            return merkle.GroupedPath(matched.hash, ())
        reason = Reason.PROOF_UNUSABLE if path.defective else Reason.PROOF_NOT_SUPPLIED
        return indeterminate(EXECUTION, reason, subject, expected=header.receipts_root.hex())
    try:
        walked = merkle.grouped_path(matched.hash, path.items, algorithm=suite.hash)
        if walked.root == header.receipts_root and hides_receipt(path_nodes(path.items), header.number):
            return failed(EXECUTION, Reason.PROOF_FAILURE, subject, notes=("NODE_IS_A_RECORD",))
        if walked.root == header.receipts_root:
            return walked
        actual = walked.root.hex()
    except merkle.PathError as fault:
        actual = str(fault)
    trusted = header.version >= BINARY_TREE_SINCE
    maker, reason = (failed, Reason.PROOF_FAILURE) if trusted else (indeterminate, Reason.PROOF_UNUSABLE)
    return maker(EXECUTION, reason, subject, expected=header.receipts_root.hex(), actual=actual)


def _unlike(receipt: Receipt, transaction: Transaction, header: Header) -> str:
    """What the receipt says of its transaction (none of it hashed) must not say otherwise. "" when it does not."""
    pairs: tuple[tuple[str, object, object], ...] = (
        ("transactionHash", receipt.transaction_hash, transaction.hash),
        ("from", receipt.sender, transaction.sender),
        ("to", address(receipt.to) if receipt.to else None, address(transaction.to or "") or None),
        ("input", receipt.input, transaction.input),
        ("blockNumber", receipt.block_number, header.number),
    )
    return next((name for name, a, b in pairs if a is not None and b is not None and a != b), "")
