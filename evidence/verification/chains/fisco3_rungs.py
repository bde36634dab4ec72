"""The rungs of one FISCO BCOS 3.x proof: what is recomputed of one transaction, its block and its receipt (spec §6)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .. import digests, merkle
from ..reasons import Reason
from ..trust import ChainProfile
from ..verdict import Finding, Outcome, failed, indeterminate, passed
from . import abi, fisco3_ethereum, ladder
from .checkpoints import Anchored, checkpoint
from .claimed import Claimed, opened, recognised
from .evidence_contracts import NOT_CANONICAL, call_of
from .fisco3_execution import BINARY_TREE_SINCE, Executed, execution
from .fisco3_hashing import (
    TRANSACTION_VERSIONS,
    Matched,
    header_hash,
    hides_transaction,
    list_nodes,
    path_nodes,
)
from .fisco3_records import Header, Receipt, Transaction
from .location import Place
from .node_json import ADDRESS_BYTES, address
from .sealers import SUITES, Quorum, Suite, proposer_time, quorum, signer

FAMILY = "fisco3"


@dataclass(frozen=True, slots=True)
class Proof:
    """The records of one transaction, or of one block that no transaction belongs to."""

    source: str
    transaction: Transaction | None = None
    receipt: Receipt | None = None
    header: Header | None = None
    matched: Matched | None = None
    profile: ChainProfile | None = None
    suite: Suite = field(default=SUITES[0])
    guessed: bool = False


def inclusion_of(
    proof: Proof, claimed: Claimed, *, successors: Sequence[Header], others: Sequence[Header]
) -> tuple[ladder.Inclusion, Anchored[Header]]:
    t, header, suite = proof.transaction, proof.header, proof.suite
    tx_id = t.hash if t else proof.receipt.transaction_hash if proof.receipt else None
    subject = f"{FAMILY} · {proof.source} · " + (f"tx {ladder.short(tx_id)}" if tx_id else "block")
    x = _transaction(proof, claimed, subject)
    path, place = path_of(proof, header, claimed, subject)
    digest = header_hash(header, algorithm=suite.hash) if header else None
    h = _header(header, digest, subject)
    if header is None or digest is None:
        q = Quorum(indeterminate(ladder.NODE_QUORUM, Reason.PROOF_NOT_SUPPLIED, subject), "–")
        c: Anchored[Header] = Anchored(indeterminate(ladder.ROOT, Reason.ANCHOR_UNAVAILABLE, subject))
    else:
        holds = h.outcome is Outcome.PASSED
        q = quorum(header, digest, subject=subject, suite=suite, profile=proof.profile, header_holds=holds)
        c = checkpoint(
            header,
            digest,
            subject=subject,
            hash_of=lambda h: header_hash(h, algorithm=suite.hash),
            profile=proof.profile,
            successors=successors,
            others=[o for o in others if o is not header],
        )
    call, call_notes = call_of(t.to if t else None, t.input if t else None, proof.profile)
    e = execution(
        proof.receipt,
        transaction=t,
        call=call,
        unread=NOT_CANONICAL in call_notes,
        transaction_path=place,
        receipt_hashes=claimed.receipt_hashes,
        header=header,
        suite=suite,
        profile=proof.profile,
        subject=subject,
    )
    return (
        ladder.Inclusion(
            subject=subject,
            ledger_kind=_ledger_kind(proof, claimed, digest, subject, call_notes, pinned=c.checkpoint is not None),
            transaction=x,
            sender=_sender(t, proof.matched, claimed, suite, subject),
            path=path,
            header=h,
            node_quorum=q.finding,
            root=c.finding,
            execution=e.finding,
            places=_places(proof, call, e, claimed),
            tx_id="0x" + tx_id.hex() if tx_id else None,
            leaf=proof.matched.hash if proof.matched else None,
            merkle_root=header.txs_root if header else None,
            block_hash=digest,
            height=header.number if header else None,
            time=proposer_time(header.timestamp) if header else None,
            quorum_label=q.label,
            signers=q.operators,
            court_run=q.court_run,
            checkpoint=c.checkpoint,
        ),
        c,
    )


def _ledger_kind(
    proof: Proof, claimed: Claimed, digest: bytes | None, subject: str, notes: tuple[str, ...], *, pinned: bool
) -> Finding:
    """Step 0. `pinned`: the court has pinned the block, itself or behind links."""
    profile, t = proof.profile, proof.transaction
    if proof.guessed and (proof.matched or proof.header):
        notes = (*notes, f"SUITE_GUESSED:{proof.suite.hash}")
    if t is not None and t.ethereum:
        notes = (*notes, "ETHEREUM_GROUP_UNSAID")
    found = recognised(
        claimed,
        subject=subject,
        chain_id=t.chain_id if t and not t.ethereum else None,
        group_id=t.group_id if t and not t.ethereum else None,
        suite=proof.suite if profile is not None or proof.matched else None,
        genesis=digest if proof.header is not None and proof.header.number == 0 else None,
        profile=profile,
        notes=notes,
    )
    if found.outcome is Outcome.PASSED and t is not None and t.ethereum and not pinned:
        # Groups may share their sealers, and neither header nor transaction names the group.
        return indeterminate(ladder.LEDGER_KIND, Reason.ANCHOR_UNAVAILABLE, subject, actual=found.actual, notes=notes)
    return found


def _transaction(proof: Proof, claimed: Claimed, subject: str) -> Finding:
    """Step X."""
    check, t, matched = ladder.TRANSACTION, proof.transaction, proof.matched
    if t is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    if t.ethereum:
        return fisco3_ethereum.transaction(t, claimed, subject)
    if t.version not in TRANSACTION_VERSIONS:
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual=f"version {t.version}")
    if t.missing or t.hash is None:
        absent = ", ".join((*t.missing, *(() if t.hash else ("hash",))))
        return indeterminate(check, Reason.TX_INCOMPLETE, subject, actual=absent)
    if matched is None:
        return failed(check, Reason.HASH_FAILURE, subject, expected=t.hash.hex(), notes=(f"HASHED_WITH:{proof.suite.hash}",))
    if matched.ambiguous:
        return indeterminate(check, Reason.AMBIGUOUS_PREIMAGE, subject, actual=matched.hash.hex())
    notes = (f"RENDERING_USED:{matched.rendering}",) if matched.rendering else ()
    return passed(check, subject, expected=t.hash.hex(), actual=matched.hash.hex(), notes=notes)


def _sender(
    t: Transaction | None, matched: Matched | None, claimed: Claimed, suite: Suite, subject: str
) -> Finding:
    """Step S. Neither signature nor sender is under the transaction's hash: they are checked over it, on their own."""
    check = ladder.SENDER
    if t is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    if matched is None:
        return indeterminate(check, Reason.TX_INCOMPLETE, subject)
    if t.ethereum:
        return fisco3_ethereum.sender(t, claimed, subject)
    if t.signature is None or t.sender is None:
        return indeterminate(check, Reason.NO_SIGNING_CERTIFICATE_FOUND, subject)
    key = signer(t.signature, matched.hash, suite=suite)
    if key is None:
        return failed(check, Reason.SIG_CRYPTO_FAILURE, subject)
    derived = digests.digest(suite.hash, key)[-ADDRESS_BYTES:]
    expected, actual = "0x" + derived.hex(), "0x" + t.sender.hex()
    if derived != t.sender:
        return failed(check, Reason.HASH_FAILURE, subject, expected=expected, actual=actual)
    return passed(check, subject, expected=expected, actual=actual)


def path_of(
    proof: Proof, header: Header | None, claimed: Claimed, subject: str
) -> tuple[Finding, merkle.GroupedPath | None]:
    """Step R: the node's path, and where none is usable, all transaction hashes of the block."""
    check, t = ladder.PATH, proof.transaction
    if header is None or t is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject), None
    if proof.matched is None:
        return indeterminate(check, _transaction(proof, claimed, subject).reason or Reason.TX_INCOMPLETE, subject), None
    leaf, root, algorithm = proof.matched.hash, header.txs_root, proof.suite.hash
    expected = root.hex()
    trusted = header.version >= BINARY_TREE_SINCE
    says = claimed if t.ethereum else t  # an Ethereum transaction does not name the chain
    names = (says.chain_id or "") + (says.group_id or "")
    missed: str | None = None
    if t.path.items is not None:
        try:
            walked = merkle.grouped_path(leaf, t.path.items, algorithm=algorithm)
            if walked.root == root and hides_transaction(path_nodes(t.path.items), names):
                return failed(check, Reason.PROOF_FAILURE, subject, expected=expected, notes=("NODE_IS_A_RECORD",)), None
            if walked.root == root:
                return passed(check, subject, expected=expected, actual=walked.root.hex()), walked
            missed = walked.root.hex()
        except merkle.PathError as fault:
            missed = str(fault)
        if trusted:
            return failed(check, Reason.PROOF_FAILURE, subject, expected=expected, actual=missed), None
    elif leaf == root:
        # "One transaction: the root is its hash."
        return passed(check, subject, expected=expected, actual=leaf.hex()), merkle.GroupedPath(leaf, ())
    listed = header.tx_hashes or claimed.tx_hashes
    if listed:
        rebuilt = merkle.grouped_root(listed, algorithm=algorithm)
        if rebuilt == root and hides_transaction(list_nodes(listed), names):
            return failed(check, Reason.PROOF_FAILURE, subject, expected=expected, notes=("NODE_IS_A_RECORD",)), None
        if rebuilt == root and leaf in listed:
            place = merkle.GroupedPath(root, merkle.grouped_positions(listed.index(leaf), len(listed)))
            note = f"RECOMPUTED_FROM_LEAVES:{len(listed)}"
            return passed(check, subject, expected=expected, actual=rebuilt.hex(), notes=(note,)), place
        return failed(check, Reason.PROOF_FAILURE, subject, expected=expected, actual=rebuilt.hex()), None
    if missed is not None or t.path.defective:
        return indeterminate(check, Reason.PROOF_UNUSABLE, subject, expected=expected, actual=missed), None
    return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject, expected=expected), None


def _header(header: Header | None, digest: bytes | None, subject: str) -> Finding:
    """Step H."""
    check = ladder.HEADER
    if header is None or digest is None or header.hash is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    if header.hash != digest:
        return failed(check, Reason.HASH_FAILURE, subject, expected=header.hash.hex(), actual=digest.hex())
    return passed(check, subject, expected=header.hash.hex(), actual=digest.hex())


def _places(
    proof: Proof, call: abi.Call | None, e: Executed, claimed: Claimed
) -> tuple[Place, ...] | None:
    """Where a digest may stand: the call's parameters, what its contract logged, and the input as bytes."""
    t = proof.transaction
    if t is None or t.missing or t.input is None or (t.ethereum and proof.matched is None):
        return None
    contract = address(t.to or "") or "–"
    parameters = (
        tuple(Place(contract, call.signature, key, value) for key, value in call.parameters) if call else ()
    )
    found = (*parameters, *e.events)
    return (*(opened(p, claimed.pre_images) for p in found), Place(contract, "input", "data", t.input))
