"""ChainMaker 2.x: one block as the court recomputes it (spec consortium-chains §4, steps H, Q and C).

Header hash, proposer's signature, the trees over transactions and read-write sets, the order of execution, the validators'
votes, and the link to something the court has pinned. What concerns a single transaction stands in `chainmaker_transaction`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property

from .. import digests, merkle
from ..codecs.protobuf import Message
from ..reasons import Reason
from ..trust import ChainProfile, TrustStore
from ..verdict import Finding, Outcome, ProvenTime, failed, indeterminate, passed
from . import chainmaker_custody as custody
from . import chainmaker_members as members
from . import chainmaker_votes as votes
from .chainmaker_hashing import (
    Block,
    instant_of,
    is_complete,
    is_redacted,
    is_redacted_rw_set,
    leaf_bytes,
    malformed,
)
from .chainmaker_members import HASHES, Certificates, Suite
from .chainmaker_records import tx_id
from .chainmaker_votes import Quorum, Signed
from .ladder import HEADER, LEDGER_KIND, ROOT, Checkpointed, short

FAMILY = "chainmaker"
PROPOSER = "CHAINMAKER.PROPOSER"
TX_ROOT = "CHAINMAKER.TX_ROOT"
RW_SET = "CHAINMAKER.RW_SET"
RW_SET_ROOT = "CHAINMAKER.RW_SET_ROOT"
EXECUTION_ORDER = "CHAINMAKER.DAG"

MARKED_MAX = 200
"""Transactions that look cut whose signature is asked; with more of them the block counts as an export. 0.3 s of SM2."""
LINKS_MAX = 10_000
"""Headers followed from a block to a pinned one (spec §2 rule 6)."""


_ORDER = (Outcome.PASSED, Outcome.INDETERMINATE, Outcome.FAILED)


def profiles(trust: TrustStore, chain_id: str, algorithm: str | None) -> list[ChainProfile]:
    """The court's profiles of that name whose hash fits; the default name `chain1` is borne by many chains."""
    return [
        p
        for p in trust.chains_of(FAMILY)
        if p.chain_id == chain_id
        and digests.canonical_name(p.hash) in ((algorithm,) if algorithm else HASHES)
    ]


def agreeing(candidates: Sequence[ChainProfile], genesis: frozenset[bytes]) -> list[ChainProfile]:
    """Those whose first block is none other than was handed in or claimed; all of them when that leaves none."""
    found = [p for p in candidates if p.genesis_hash is None or not genesis - {p.genesis_hash}]
    return found or list(candidates)


def ledger_kind(
    subject: str, chain_id: str, profile: ChainProfile | None, genesis: frozenset[bytes] = frozenset()
) -> Finding:
    """Step 0. `genesis`: hashes of the blocks of height 0 that were handed in or claimed for this chain."""
    shown = f"{FAMILY} {chain_id[:64]}"
    if profile is None:
        return indeterminate(LEDGER_KIND, Reason.ANCHOR_UNTRUSTED, subject, actual=shown)
    pin = profile.genesis_hash
    if pin is not None and genesis - {pin}:
        other = sorted(genesis - {pin})[0]
        return failed(LEDGER_KIND, Reason.ANCHOR_MISMATCH, subject, expected=pin.hex(), actual=other.hex())
    return passed(LEDGER_KIND, subject, expected=profile.id, actual=shown)


class Examined:
    """A block with every finding that concerns it as a whole. The court's profile is chosen here."""

    def __init__(
        self,
        block: Block,
        *,
        trust: TrustStore,
        known: Certificates,
        others: Sequence[Block],
        genesis: frozenset[bytes],
    ) -> None:
        self.block = block
        self.subject = f"{block.name} · {block.height}"
        candidates = agreeing(profiles(trust, block.chain_id, block.algorithm), genesis)
        self._known = known
        options = [self._under(p) for p in candidates] or [self._under(None)]
        # Of several chains of one name it is the one that has pinned it or whose validators signed it; else one that it does not
        # contradict.
        self.profile, self.suite, self.quorum = min(options, key=self._distance)
        self.kind = ledger_kind(self.subject, block.chain_id, self.profile, genesis)
        self.header = self._header()
        self.root, self.checkpoint = self._root(others)
        if self.root.reason is Reason.ANCHOR_UNAVAILABLE and self.profile is not None:
            followed = custody.followed(
                block, others, subject=self.subject, profile=self.profile, known=known, suite=self.suite
            )
            self.root = followed or self.root

    def _distance(self, option: tuple[ChainProfile | None, Suite, Quorum]) -> int:
        profile, suite, signed = option
        pin = profile.checkpoint_at(self.block.height) if profile else None
        if pin is not None:
            return 0 if pin.hash == self.block.hash_under(suite.hash) else len(_ORDER)
        return _ORDER.index(signed.finding.outcome)

    @property
    def hash(self) -> bytes:
        return self.block.hash_under(self.suite.hash)

    @property
    def at(self) -> datetime | None:
        return instant_of(self.block.header.number("block_timestamp"))

    @property
    def time(self) -> ProvenTime | None:
        return ProvenTime(self.at, "PROPOSER") if self.at else None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Beside the ladder."""
        own = (self.proposer, self.tx_root, self._rw_set_root(), self._execution_order())
        return (*own, self._rw_sets()) if self.block.rw_sets else own

    # ── leaves ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def leaf(self, tx: Message) -> bytes | None:
        """H(transaction), or None when its body is not whole."""
        if not is_complete(tx):
            return None
        return self.suite.digest(leaf_bytes(tx, self.block.header.number("block_version")))

    @cached_property
    def leaves(self) -> tuple[bytes, ...] | None:
        """Every leaf of the block in order, from bodies or else as stated; None when one is missing."""
        bodies = self.block.txs
        if bodies is not None and len(bodies) == self.block.count:
            found = [self.leaf(tx) for tx in bodies]
            whole = tuple(leaf for leaf in found if leaf is not None)
            return whole if len(whole) == len(found) else None
        stated = self.block.tx_hashes
        return stated if stated is not None and len(stated) == self.block.count else None

    @cached_property
    def levels(self) -> list[list[bytes]] | None:
        """The tree over all leaves, None when they are not all there."""
        if not self.leaves or len(self.leaves) > merkle.LEAVES_MAX:
            return None
        return merkle.repeating_levels(self.leaves, algorithm=self.suite.hash)

    @property
    def tree_holds(self) -> bool:
        return self.levels is not None and self.levels[-1][0] == self.block.header.data("tx_root")

    @cached_property
    def cut(self) -> int | None:
        """Place of the first transaction out of which an export has cut something; None when nothing was."""
        marked = [(i, tx) for i, tx in enumerate(self.block.txs or ()) if is_redacted(tx)]
        if len(marked) > MARKED_MAX:
            return marked[0][0]
        return next((i for i, tx in marked if not members.sender_signed(tx, self._known, self.suite)), None)

    @property
    def redacted(self) -> bool:
        return self.cut is not None

    def sender_contradicts(self, tx: Message) -> bool:
        """Whether the sender's key is there and the signature is not by it."""
        entry = tx.message("sender")
        presented = members.read(entry.message("signer") if entry else None, self._known, self.suite)
        return presented.reason is None and not members.sender_signed(tx, self._known, self.suite)

    @cached_property
    def tx_root(self) -> Finding:
        """Do all transactions of the block, as handed in, give the root in the header?"""
        root = self.block.header.data("tx_root").hex()
        bodies = self.block.txs
        if bodies is not None and len(bodies) > self.block.count:
            return failed(
                TX_ROOT,
                Reason.PROOF_FAILURE,
                self.subject,
                expected=str(self.block.count),
                actual=str(len(bodies)),
            )
        if self.levels is None:
            many = self.block.count > merkle.LEAVES_MAX
            reason = Reason.RESOURCE_LIMIT if many else Reason.PROOF_NOT_SUPPLIED
            return indeterminate(TX_ROOT, reason, self.subject, expected=root)
        actual = self.levels[-1][0].hex()
        if self.tree_holds:
            return passed(TX_ROOT, self.subject, expected=root, actual=actual)
        if self.redacted:
            return indeterminate(TX_ROOT, Reason.REDACTED_EXPORT, self.subject, expected=root, actual=actual)
        return failed(TX_ROOT, Reason.PROOF_FAILURE, self.subject, expected=root, actual=actual)

    # ── header ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _header(self) -> Finding:
        """Step H: form, hash, proposer's signature."""
        header = self.block.header
        if problem := malformed(header):
            return failed(HEADER, Reason.FORMAT_FAILURE, self.subject, actual=problem)
        if self.hash != self.block.stated_hash:
            return failed(
                HEADER,
                Reason.HASH_FAILURE,
                self.subject,
                expected=self.block.stated_hash.hex(),
                actual=self.hash.hex(),
            )
        if self.proposer.outcome is Outcome.FAILED:
            return failed(HEADER, Reason.SIG_CRYPTO_FAILURE, self.subject, actual=self.proposer.actual)
        shown = self.hash.hex()
        return passed(
            HEADER, self.subject, expected=shown, actual=shown, notes=(f"HASHED_WITH:{self.suite.hash}",)
        )

    @cached_property
    def proposer(self) -> Finding:
        """The proposer signs the block hash as a message (which ECDSA and SM2 then hash again)."""
        header = self.block.header
        if not header.has("signature") or header.message("proposer") is None:
            return indeterminate(PROPOSER, Reason.SIGNED_DATA_NOT_FOUND, self.subject)
        member, valid = self._proposed()
        if member.reason is not None:
            return indeterminate(PROPOSER, member.reason, self.subject, actual=member.label)
        if not valid:
            return failed(PROPOSER, Reason.SIG_CRYPTO_FAILURE, self.subject, actual=member.label)
        return identified(
            PROPOSER,
            self.subject,
            member,
            profile=self.profile,
            known=self._known,
            height=self.block.height,
            at=self.at,
        )

    def _proposed(self, suite: Suite | None = None) -> tuple[members.Member, bool]:
        suite = suite or self.suite
        header = self.block.header
        member = members.read(header.message("proposer"), self._known, suite)
        message = self.block.hash_under(suite.hash)
        return member, members.signed(member, header.data("signature"), message, suite)

    # ── finality ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _under(self, profile: ChainProfile | None) -> tuple[ChainProfile | None, Suite, Quorum]:
        """Step Q under one of the court's profiles."""
        name = digests.canonical_name(profile.hash) if profile else self.block.algorithm
        suite = Suite(name or HASHES[0], profile.sm2_uid) if profile else Suite(name or HASHES[0])
        about = Signed(self.subject, self.block.hash_under(suite.hash), self.block.height, self.at)
        if profile is not None and profile.consensus == "NONE":
            return profile, suite, votes.none(about)
        if profile is not None and profile.consensus == "SINGLE":
            if not self.block.header.has("signature"):
                return profile, suite, votes.missing(about)
            member, valid = self._proposed(suite)
            return profile, suite, votes.single(member, valid, about, profile=profile, known=self._known)
        if self.block.header.has("consensus_args"):
            # TBFT writes none. DPoS, which votes like it, and MaxBFT choose their validators by what stands there.
            return profile, suite, votes.unsupported(about, "consensus_args")
        return (
            profile,
            suite,
            votes.tbft(self.block.extra, about, profile=profile, known=self._known, suite=suite),
        )

    def _root(self, others: Sequence[Block]) -> tuple[Finding, Checkpointed | None]:
        """Step C: EQUAL to a pinned block, or LINKED_BACK from one through the headers handed in."""
        pins = {c.height: c for c in self.profile.checkpoints} if self.profile else {}
        by_height: dict[int, list[Block]] = {}
        for other in others:
            if other.chain_id == self.block.chain_id:
                by_height.setdefault(other.height, []).append(other)
        current, height, subject = self.hash, self.block.height, self.subject
        for steps in range(LINKS_MAX + 1):
            pin = pins.get(height)
            if pin is not None:
                if pin.hash != current:
                    return (
                        failed(
                            ROOT,
                            Reason.ANCHOR_MISMATCH,
                            subject,
                            expected=pin.hash.hex(),
                            actual=current.hex(),
                        ),
                        None,
                    )
                notes = (f"CHECKPOINT_LINKED:{steps}",) if steps else ("CHECKPOINT_EQUAL",)
                found = passed(ROOT, subject, expected=pin.hash.hex(), actual=current.hex(), notes=notes)
                return found, Checkpointed(pin.basis, pin.recorded_at)
            following = by_height.get(height + 1, [])
            if not following:
                return indeterminate(ROOT, Reason.ANCHOR_UNAVAILABLE, subject, actual=str(height)), None
            linked = [b for b in following if b.header.data("pre_block_hash") == current]
            if not linked or linked[0].hash_under(self.suite.hash) != linked[0].stated_hash:
                return (
                    failed(
                        ROOT,
                        Reason.PROOF_FAILURE,
                        f"{following[0].name} · {height + 1}",
                        expected=current.hex(),
                        actual=following[0].header.data("pre_block_hash").hex(),
                    ),
                    None,
                )
            current, height = linked[0].stated_hash, height + 1
        return indeterminate(ROOT, Reason.RESOURCE_LIMIT, subject, actual=f"> {LINKS_MAX}"), None

    # ── beside the ladder ─────────────────────────────────────────────────────────────────────────────────────────────

    def _rw_sets(self) -> Finding:
        """Every read-write set handed in with the block: rw_set_hash = H(TxRWSet) of its own transaction."""
        results = {tx_id(tx): tx.message("result") for tx in self.block.txs or ()}
        shown = str(len(self.block.rw_sets))
        cut: Finding | None = None
        for rw_set in self.block.rw_sets:
            result = results.get(rw_set.text("tx_id"))
            if result is None:
                whole = len(self.block.txs or ()) == self.block.count
                maker, reason = (
                    (failed, Reason.HASH_FAILURE) if whole else (indeterminate, Reason.PROOF_NOT_SUPPLIED)
                )
                return maker(RW_SET, reason, self.subject, actual=f"tx {short(rw_set.text('tx_id'))}")
            found = rw_set_finding(
                self.subject, rw_set, result, suites=(self.suite,), redacted=is_redacted_rw_set(rw_set)
            )
            if found.outcome is Outcome.FAILED:
                return found
            cut = cut or (found if found.outcome is Outcome.INDETERMINATE else None)
        return cut or passed(RW_SET, self.subject, expected=shown, actual=shown)

    def _rw_set_root(self) -> Finding:
        """The same tree over the `rw_set_hash` of every transaction."""
        root = self.block.header.data("rw_set_root")
        hashes = list(self._rw_set_hashes())
        if not hashes or len(hashes) != self.block.count or len(hashes) > merkle.LEAVES_MAX:
            return indeterminate(RW_SET_ROOT, Reason.PROOF_NOT_SUPPLIED, self.subject, expected=root.hex())
        actual = merkle.repeating_levels(hashes, algorithm=self.suite.hash)[-1][0]
        return _compared(RW_SET_ROOT, self.subject, root, actual)

    def _rw_set_hashes(self) -> Iterator[bytes]:
        for tx in self.block.txs or ():
            result = tx.message("result")
            if result is not None:
                yield result.data("rw_set_hash")

    def _execution_order(self) -> Finding:
        """dag_hash = H(DAG)."""
        stated = self.block.header.data("dag_hash")
        if self.block.dag is None:
            return indeterminate(
                EXECUTION_ORDER, Reason.PROOF_NOT_SUPPLIED, self.subject, expected=stated.hex()
            )
        return _compared(EXECUTION_ORDER, self.subject, stated, self.suite.digest(self.block.dag.raw))


def identified(
    check: str,
    subject: str,
    member: members.Member,
    *,
    profile: ChainProfile | None,
    known: Certificates,
    height: int | None,
    at: datetime | None,
) -> Finding:
    """A valid signature -> passed when the court knows the signer, or pins nobody by whom they could be known.

    A validator of the pinned set is known; so is a certificate under a root pinned for its organisation. In public-key mode,
    and where the court pins no roots, the signature stands for itself, and the note says so.
    """
    epoch = profile.epoch_at(height) if profile and height is not None else None
    if epoch is not None and members.pinned(member, epoch) is not None:
        return passed(check, subject, actual=member.label)
    if profile is None or not profile.org_roots or member.certificate is None:
        return passed(check, subject, actual=member.label, notes=("IDENTITY_UNPINNED",))
    if at is None:
        return indeterminate(check, Reason.NO_CERTIFICATE_CHAIN_FOUND, subject, actual=member.label)
    path = members.path(member, profile, known, height=height, at=at)
    if path is not None and path.outcome is Outcome.PASSED:
        return passed(check, subject, actual=member.label)
    reason = path.reason if path and path.reason else Reason.NO_CERTIFICATE_CHAIN_FOUND
    return indeterminate(check, reason, subject, actual=member.label)


def rw_set_finding(
    subject: str, rw_set: Message, result: Message, *, suites: Sequence[Suite], redacted: bool
) -> Finding:
    """rw_set_hash = H(TxRWSet), under the one hash that fits where the chain's is not known."""
    stated = result.data("rw_set_hash")
    for suite in suites:
        if suite.digest(rw_set.raw) == stated:
            notes = (f"HASHED_WITH:{suite.hash}",)
            return passed(RW_SET, subject, expected=stated.hex(), actual=stated.hex(), notes=notes)
    maker, reason = (indeterminate, Reason.REDACTED_EXPORT) if redacted else (failed, Reason.HASH_FAILURE)
    actual = suites[0].digest(rw_set.raw).hex()
    return maker(RW_SET, reason, subject, expected=stated.hex(), actual=actual)


def _compared(check: str, subject: str, stated: bytes, actual: bytes) -> Finding:
    if stated == actual:
        return passed(check, subject, expected=stated.hex(), actual=actual.hex())
    return failed(check, Reason.HASH_FAILURE, subject, expected=stated.hex(), actual=actual.hex())
