"""The rungs of one FISCO BCOS 2.x proof: what is recomputed of one transaction, its block and its receipt (spec §5)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .. import digests
from ..keys import secp256k1, sm2
from ..merkle import PathError
from ..reasons import Reason
from ..trust import ChainProfile
from ..verdict import Finding, Outcome, failed, indeterminate, passed
from . import abi, fisco2_tree, ladder
from .checkpoints import Anchored, checkpoint
from .claimed import Claimed, opened, recognised
from .evidence_contracts import NOT_CANONICAL, call_of
from .fisco2_execution import Executed, execution
from .fisco2_hashing import Matched, header_hash
from .fisco2_records import Header, Receipt, Transaction
from .fisco2_tree import IndexedPath
from .location import Place
from .node_json import ADDRESS_BYTES
from .sealers import SUITES, Quorum, Suite, proposer_time, quorum

FAMILY = "fisco2"
TREES_SINCE = (2, 2, 0)
"""Version of a chain from which its roots are trees with paths; before, the whole block was hashed, or a Patricia trie."""

_VERSION = re.compile(r"(?<![\d.])(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?:-\w{1,8})?")


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
            hash_of=lambda link: header_hash(link, algorithm=suite.hash),
            profile=proof.profile,
            successors=successors,
            others=[o for o in others if o is not header],
        )
    to = "0x" + t.to.hex() if t and t.to else None
    call, call_notes = call_of(to, t.input if t else None, proof.profile)
    e = execution(
        proof.receipt,
        transaction=t,
        call=call,
        unread=NOT_CANONICAL in call_notes,
        transaction_path=place,
        header=header,
        too_old=too_old(claimed.engine),
        suite=suite,
        profile=proof.profile,
        subject=subject,
    )
    guessed = proof.guessed and (proof.matched is not None or header is not None)
    return (
        ladder.Inclusion(
            subject=subject,
            ledger_kind=recognised(
                claimed,
                subject=subject,
                chain_id=t.chain_id if t else None,
                group_id=t.group_id if t else None,
                suite=suite if proof.profile is not None or proof.matched else None,
                genesis=digest if header is not None and header.number == 0 else None,
                profile=proof.profile,
                notes=(*call_notes, f"SUITE_GUESSED:{suite.hash}") if guessed else call_notes,
            ),
            transaction=x,
            sender=_sender(t, proof.matched, suite, subject),
            path=path,
            header=h,
            node_quorum=q.finding,
            root=c.finding,
            execution=e.finding,
            places=_places(t, to, call, e, claimed),
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


def too_old(engine: str | None) -> str | None:
    """The oldest version that a package names of its chain, if its roots are no trees: `2.9.1 (2.1.0)` runs as 2.1.0."""
    versions = [(tuple(int(n or 0) for n in v.groups()), v[0]) for v in _VERSION.finditer(engine or "")]
    numbers, text = min(versions, default=(TREES_SINCE, ""))
    return text if numbers < TREES_SINCE else None


def _transaction(proof: Proof, claimed: Claimed, subject: str) -> Finding:
    """Step X."""
    check, t, matched = ladder.TRANSACTION, proof.transaction, proof.matched
    if t is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    if t.missing or t.hash is None:
        absent = ", ".join((*t.missing, *(() if t.hash else ("hash",))))
        return indeterminate(check, Reason.TX_INCOMPLETE, subject, actual=absent)
    old = too_old(claimed.engine)
    if matched is None and old is not None:
        # Release candidates of 2.0 hashed fewer fields.
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual=old)
    if matched is None:
        hashed_with = (f"HASHED_WITH:{proof.suite.hash}",)
        return failed(check, Reason.HASH_FAILURE, subject, expected=t.hash.hex(), notes=hashed_with)
    notes = (f"RENDERING_USED:{matched.rendering}",) if matched.rendering else ()
    return passed(check, subject, expected=t.hash.hex(), actual=matched.hash.hex(), notes=notes)


def _sender(t: Transaction | None, matched: Matched | None, suite: Suite, subject: str) -> Finding:
    """Step S: the signature over the hash of the unsigned fields; `from` is the end of the hash of the signer's key."""
    check = ladder.SENDER
    if t is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    if matched is None or t.signature is None:
        return indeterminate(check, Reason.TX_INCOMPLETE, subject)
    key = _signer(t, matched, suite)
    if key is None or t.signature.joined not in (None, t.signature.in_one):
        return failed(check, Reason.SIG_CRYPTO_FAILURE, subject)
    derived = digests.digest(suite.hash, key)[-ADDRESS_BYTES:]
    expected = "0x" + derived.hex()
    if t.sender is None:
        return indeterminate(check, Reason.NO_SIGNING_CERTIFICATE_FOUND, subject, expected=expected)
    actual = "0x" + t.sender.hex()
    if derived != t.sender:
        return failed(check, Reason.HASH_FAILURE, subject, expected=expected, actual=actual)
    return passed(check, subject, expected=expected, actual=actual)


def _signer(t: Transaction, matched: Matched, suite: Suite) -> bytes | None:
    signature = t.signature
    if signature is None or isinstance(signature.v, bytes) != (suite.signature == "SM2"):
        return None
    if isinstance(signature.v, bytes):
        valid = sm2.verify(signature.v, (signature.r, signature.s), matched.signed, uid=suite.uid)
        return signature.v if valid else None
    return secp256k1.recover(matched.signed, signature.r, signature.s, signature.v)


def path_of(
    proof: Proof, header: Header | None, claimed: Claimed, subject: str
) -> tuple[Finding, IndexedPath | None]:
    """Step R: the node's path, and where there is none, all transaction hashes of the block.

    A transaction that cannot be recomputed is walked from the hash it claims, which proves nothing of its content.
    """
    check, t = ladder.PATH, proof.transaction
    if header is None or t is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject), None
    found, place = _under_root(proof, t, header, claimed, subject)
    elsewhere = (t.block_number not in (None, header.number)) or None not in (t.block_hash, header.hash) and t.block_hash != header.hash
    if place is not None and elsewhere:
        # Not hashed: but the answer says of itself that it is about another block.
        said = f"{t.block_number}: {t.block_hash.hex() if t.block_hash else '–'}"
        due = f"{header.number}: {header.hash.hex() if header.hash else '–'}"
        return failed(check, Reason.PROOF_FAILURE, subject, expected=due, actual=said), None
    return found, place


def _under_root(
    proof: Proof, t: Transaction, header: Header, claimed: Claimed, subject: str
) -> tuple[Finding, IndexedPath | None]:
    check = ladder.PATH
    leaf = proof.matched.hash if proof.matched else t.hash if t.missing else None
    if leaf is None:
        return indeterminate(check, _transaction(proof, claimed, subject).reason or Reason.TX_INCOMPLETE, subject), None
    old = too_old(claimed.engine)
    if old is not None:
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual=old), None
    notes = () if proof.matched else ("LEAF_CLAIMED",)
    root, algorithm = header.txs_root, proof.suite.hash
    listed = header.tx_hashes or claimed.tx_hashes
    if t.path is not None:
        index = fisco2_tree.index_of(t.path) if t.index is None else t.index
        return _walked(leaf, t.path, index, root, algorithm, subject, notes)
    if listed:
        return _listed(leaf, listed, t.index, root, algorithm, subject, notes, certain=claimed.engine is not None)
    if t.index in (None, 0) and fisco2_tree.root_of((leaf,), algorithm=algorithm) == root:
        # "One transaction": the root is made of its hash alone.
        return passed(check, subject, expected=root.hex(), actual=root.hex(), notes=notes), IndexedPath(root, 0, 0)
    return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject, expected=root.hex()), None


def _walked(
    leaf: bytes,
    units: Sequence[fisco2_tree.Unit],
    index: int,
    root: bytes,
    algorithm: str,
    subject: str,
    notes: tuple[str, ...],
) -> tuple[Finding, IndexedPath | None]:
    try:
        walked = fisco2_tree.walk(leaf, units, index=index, algorithm=algorithm)
    except PathError as fault:
        return failed(ladder.PATH, Reason.PROOF_FAILURE, subject, expected=root.hex(), actual=str(fault)), None
    reached = walked.root.hex()
    if walked.root != root:
        return failed(ladder.PATH, Reason.PROOF_FAILURE, subject, expected=root.hex(), actual=reached), None
    return passed(ladder.PATH, subject, expected=root.hex(), actual=reached, notes=notes), walked


def _listed(
    leaf: bytes,
    listed: tuple[bytes, ...],
    index: int | None,
    root: bytes,
    algorithm: str,
    subject: str,
    notes: tuple[str, ...],
    *,
    certain: bool,
) -> tuple[Finding, IndexedPath | None]:
    """`certain`: the chain is known to root its transactions in such a tree. An older one roots them otherwise, and its bare answers
    look the same: then a list that misses the root says nothing."""
    rebuilt = fisco2_tree.root_of(listed, algorithm=algorithm)
    expected, actual = root.hex(), rebuilt.hex()
    if rebuilt != root and not certain:
        return indeterminate(ladder.PATH, Reason.UNSUPPORTED_FORMAT, subject, expected=expected, actual=actual), None
    at = index if index is not None else listed.index(leaf) if leaf in listed else -1
    if rebuilt != root or not 0 <= at < len(listed) or listed[at] != leaf:
        return failed(ladder.PATH, Reason.PROOF_FAILURE, subject, expected=expected, actual=actual), None
    place = IndexedPath(root, at, fisco2_tree.levels_of(len(listed)))
    note = f"RECOMPUTED_FROM_LEAVES:{len(listed)}"
    return passed(ladder.PATH, subject, expected=expected, actual=actual, notes=(*notes, note)), place


def _header(header: Header | None, digest: bytes | None, subject: str) -> Finding:
    """Step H."""
    check = ladder.HEADER
    if header is None or digest is None or header.hash is None:
        return indeterminate(check, Reason.PROOF_NOT_SUPPLIED, subject)
    if header.hash != digest:
        return failed(check, Reason.HASH_FAILURE, subject, expected=header.hash.hex(), actual=digest.hex())
    return passed(check, subject, expected=header.hash.hex(), actual=digest.hex())


def _places(
    t: Transaction | None, to: str | None, call: abi.Call | None, e: Executed, claimed: Claimed
) -> tuple[Place, ...] | None:
    """Where a digest may stand: the call's parameters, what its contract logged, and the input as bytes."""
    if t is None or t.missing or t.input is None:
        return None
    contract = to or "–"
    parameters = (
        tuple(Place(contract, call.signature, key, value) for key, value in call.parameters) if call else ()
    )
    found = (*parameters, *e.events)
    return (*(opened(p, claimed.pre_images) for p in found), Place(contract, "input", "data", t.input))
