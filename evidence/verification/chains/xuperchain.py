"""XuperChain 3 and 5 超级链, kin of the judicial chain 天平链: from a node's answers to the check ladder (spec consortium-chains §8).

Inputs are blocks and transactions as raw protobuf or as the node's tools print them, and relay proofs, as separate files or inside
a proof package. They are sorted into proofs, one per transaction: its block by the root that it reaches. Blocks that belong to no
transaction are links to a checkpoint or carry the votes for the block before; those that hang together with nothing stand for
themselves and keep the exhibit open.

Neither a block nor a transaction names its chain. A package says which one is meant; bare files are held against the chain whose
validators or checkpoints they meet, if that is one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .. import digests
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..trust import ChainProfile
from ..verdict import Bearing, Examination, Finding, Outcome, failed, indeterminate, passed
from . import ladder, xuperchain_records
from .xuperchain_finality import quorum, vouched
from .xuperchain_hashing import Hashed, block_id, transaction_hash
from .xuperchain_links import checkpoint, strays
from .xuperchain_messages import Block, Transaction, Unreadable
from .xuperchain_records import Path, Record
from .xuperchain_rungs import FAMILY, Claimed, Proof, inclusion_of
from .xuperchain_tree import Linked, path_of

PROOFS_MAX = 200
"""Transactions of whole blocks that are examined: four times as many as an exhibit may hold files."""
FILE_BYTES_MAX = 64 << 20
"""One file, as for a proof package (spec §2 rule 6)."""
LOOK_BYTES = 64 << 10
"""Bytes of head and tail in which a file is recognised."""

_MARKS = (
    (b'"proofPath"', b'"txIndex"'),
    (b'"merkleRoot"', b'"preHash"', b'"proposer"'),
    (b'"merkle_root"', b'"pre_hash"', b'"proposer"'),
    (b'"txid"', b'"txOutputs"', b'"initiator"'),
    (b'"txid"', b'"tx_outputs"', b'"initiator"'),
    (b'"txid"', b'"contractRequests"', b'"initiator"'),
    (b'"txid"', b'"contract_requests"', b'"initiator"'),
    (b'"txid"', b'"initiator"', b'"desc"', b'"nonce"'),
)
"""Member names that a path, a block or a transaction of this family has together in one of its spellings."""

NOT_PROVEN_HEIGHT = "NOT_PROVEN.XUPERCHAIN_HEIGHT"


def sniff(source: Source) -> int:
    """A JSON object with the member names of one of the answers, or protobuf whose outer fields are those of a block or a transaction."""
    head = source.head(LOOK_BYTES)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        look = head + source.tail(LOOK_BYTES)
        named = any(all(name in look for name in marks) for marks in _MARKS)
        return 85 if named and b'"mingjian.chain-proof"' not in look else 0
    return 80 if head and xuperchain_records.message_type(head) is not None else 0


@dataclass(frozen=True, slots=True)
class Supplied:
    """What was read, in the order in which it was handed in.

    chained   blocks that a package calls successors of its block; None: bare files, where any block may be one
    """

    blocks: tuple[Block, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    paths: tuple[Path, ...] = ()
    chained: tuple[Block, ...] | None = None


def examine(sources: Sequence[Source], context: Context) -> Examination:
    records: list[Record] = []
    findings: list[Finding] = []
    for source in sources:
        data = source.read(FILE_BYTES_MAX)
        if data is None:
            findings.append(unread(Reason.RESOURCE_LIMIT, source.name))
            continue
        try:
            records.append(xuperchain_records.read(data, source=source.name))
        except Unreadable as fault:
            findings.append(unread(fault.reason, source.name, str(fault)))
    supplied = Supplied(
        blocks=tuple(r for r in records if isinstance(r, Block)),
        transactions=tuple(r for r in records if isinstance(r, Transaction)),
        paths=tuple(r for r in records if isinstance(r, Path)),
    )
    if not supplied.transactions:
        supplied, further = _with_listed_transactions(supplied, context)
        findings += further
    found = examine_supplied(supplied, context, Claimed())
    return replace(found, findings=(*findings, *found.findings))


def examine_supplied(supplied: Supplied, context: Context, claimed: Claimed) -> Examination:
    """Records -> one proof per transaction, and one per block that stands alone."""
    blocks = [Linked(b, block_id(b)) for b in supplied.blocks]
    proofs = [_settled(_placed(t, supplied, blocks), blocks, context, claimed) for t in supplied.transactions]
    used = [p.block for p in proofs if p.block is not None]
    ids = {u.id for u in used}
    rest = [b for b in blocks if b.id not in ids]
    if supplied.chained is None:
        profiles = [p.profile for p in proofs if p.profile is not None]
        lonely = strays(rest, used)
        if profiles:
            lonely += [b for b in rest if b not in lonely and not any(vouched(b, p, blocks) for p in profiles)]
        chained = [b for b in rest if b not in lonely]
    else:
        lonely, chained = [], [b for b in rest if b.block in supplied.chained]
    proofs = [replace(p, chained=tuple(chained)) if p.block else p for p in proofs]
    proofs += [_settled(Proof(b.block.source, block=b), blocks, context, claimed) for b in lonely]
    included = [(inclusion_of(p, claimed), p.profile) for p in proofs]
    return Examination(
        findings=tuple(_stray_paths(supplied)),
        proofs=tuple(ladder.proof(i, profile=profile, context=context) for i, profile in included),
        not_proven=(NOT_PROVEN_HEIGHT,) if any(i.height is None for i, _ in included) else (),
    )


def unread(reason: Reason, name: str, actual: str | None = None) -> Finding:
    maker = failed if reason is Reason.FORMAT_FAILURE else indeterminate
    return maker(ladder.LEDGER_KIND, reason, f"{FAMILY} · {name}", actual=actual, bearing=Bearing.DECISIVE)


def _with_listed_transactions(supplied: Supplied, context: Context) -> tuple[Supplied, list[Finding]]:
    """Blocks with whole transactions, and no transaction of its own: those are taken that the exhibit speaks of.

    Named by a relay proof or a certificate, or carrying the digest of a content file; the others are strangers' records.
    """
    named = {p.txid for p in supplied.paths if p.txid is not None}
    claimed = {c.tx_id.lower().removeprefix("0x") for c in context.claims if c.tx_id}
    wanted = [s.digest(a) for s in context.content for a in digests.STRONG]
    needles = [form for d in wanted for form in (d, d.hex().encode())]
    found: list[Transaction] = []
    for block in supplied.blocks:
        whole, lowered = block.body.raw, block.body.raw.lower()
        present = [n for n in needles if n in whole or n in lowered]
        for message in block.body.messages("transactions"):
            txid, raw = message.data("txid"), message.raw if present else b""
            if txid in named or txid.hex() in claimed or any(n in raw or n in raw.lower() for n in present):
                found.append(Transaction(block.source, message, block.lossy))
    findings = []
    if len(found) > PROOFS_MAX:
        findings.append(unread(Reason.RESOURCE_LIMIT, found[0].source, f"{len(found)} transactions"))
    return replace(supplied, transactions=tuple(found[:PROOFS_MAX])), findings


def _stray_paths(supplied: Supplied) -> Iterable[Finding]:
    """A path of a transaction that was not handed in proves nothing here, and that is said."""
    for path in supplied.paths:
        if not any(_is_of(path, t, supplied) for t in supplied.transactions):
            subject = f"{FAMILY} · {path.source}"
            yield indeterminate(ladder.PATH, Reason.PROOF_NOT_SUPPLIED, subject, bearing=Bearing.DECISIVE)


# ── which records belong together ──────────────────────────────────────────────────────────────────────────────────────


def _placed(transaction: Transaction, supplied: Supplied, blocks: Sequence[Linked]) -> Proof:
    """The block whose root the transaction reaches; else the one that it or its path names; else the first.

    So that a path that reaches nothing is measured against some block, and fails there, instead of going unanswered.
    """
    hashed = transaction_hash(transaction)
    paths = tuple(p for p in supplied.paths if _is_of(p, transaction, supplied))
    proof = Proof(transaction.source, transaction, hashed, None, paths)
    if supplied.chained is not None:
        mine = [b for b in blocks if b.block not in supplied.chained]
        return replace(proof, block=mine[0] if mine else None)
    named = {transaction.body.data("blockid"), *(p.block_id for p in paths)}
    reached = (b for b in blocks if _reaches(transaction, hashed, b, paths))
    by_name = (b for b in blocks if b.id in named or b.block.body.data("blockid") in named)
    return replace(proof, block=next(reached, None) or next(by_name, None) or (blocks[0] if blocks else None))


def _reaches(transaction: Transaction, hashed: Hashed | None, it: Linked, paths: Sequence[Path]) -> bool:
    if hashed is None or hashed.id != transaction.txid:
        return False
    own = passed(ladder.TRANSACTION, "")
    return path_of(transaction, hashed, own, it, paths, "").outcome is Outcome.PASSED


def _is_of(path: Path, transaction: Transaction, supplied: Supplied) -> bool:
    if path.txid is None:
        return len(supplied.transactions) == 1
    return path.txid == transaction.txid


def _settled(proof: Proof, blocks: Sequence[Linked], context: Context, claimed: Claimed) -> Proof:
    """With its neighbours, and the court's profile of its chain: the one that a package names, or the one that bare blocks meet.

    The nodes of one operator use one key for all their chains, and no block says which it belongs to. So where several chains of
    the court fit and no link tells them apart, what a package says of it is only said (`namesakes`).
    """
    it = proof.block
    proof = replace(
        proof,
        copies=tuple(b for b in blocks if it is not None and b is not it and b.id == it.id),
        others=tuple(b for b in blocks if it is None or b.id != it.id),
    )
    met = [(d, p) for p in context.trust.chains_of(FAMILY) if (d := _meets(proof, p)) is not None]
    nearest = [p for d, p in met if d == min(d for d, _ in met)]
    if claimed.chain_id is None:
        return replace(proof, profile=nearest[0] if len(nearest) == 1 else None, namesakes=len(nearest) > 1)
    named = context.trust.chains_named(family=FAMILY, chain_id=claimed.chain_id)
    if len(named) > 1:
        named = (min(named, key=lambda p: _distance(proof, p, claimed)),)
    profile = named[0] if named else None
    return replace(proof, profile=profile, namesakes=any(p is not profile for p in nearest))


def _meets(proof: Proof, profile: ChainProfile) -> int | None:
    """0: links lead to a block that the court has pinned for this chain; 1: one of its validators proposed the block; else None."""
    it = proof.block
    if it is None:
        return None
    if checkpoint(it, subject="", profile=profile, others=proof.others, chained=()).height is not None:
        return 0
    keys = {v.key for e in profile.epochs for v in e.validators}
    return 1 if it.block.key is not None and it.block.key.point in keys else None


def _distance(proof: Proof, profile: ChainProfile, claimed: Claimed) -> int:
    """Of several chains of one name: 0 for the one that has pinned the block or whose validators signed it, 1 for one that it
    does not contradict, 2 for one that it does."""
    it = proof.block
    if profile.genesis_hash and claimed.genesis_hash and profile.genesis_hash != claimed.genesis_hash:
        return 2
    if it is None:
        return 1
    anchored = checkpoint(it, subject="", profile=profile, others=proof.others, chained=())
    if anchored.finding.outcome is not Outcome.INDETERMINATE:
        return 0 if anchored.checkpoint else 2
    signed = quorum(it, subject="", profile=profile, height=anchored.height, others=proof.others)
    return (Outcome.PASSED, Outcome.INDETERMINATE, Outcome.FAILED).index(signed.finding.outcome)
