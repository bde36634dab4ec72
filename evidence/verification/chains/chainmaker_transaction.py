"""ChainMaker 2.x: one transaction on the ladder (spec consortium-chains §4, steps X, S, R, E and the places of step T)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from .. import merkle
from ..codecs.protobuf import Message
from ..reasons import Reason
from ..trust import ChainProfile, TrustStore
from ..verdict import Bearing, Finding, Outcome, failed, indeterminate, passed
from . import chainmaker_members as members
from .chainmaker_block import Examined, agreeing, identified, ledger_kind, profiles, rw_set_finding
from .chainmaker_hashing import instant_of, is_complete, is_redacted, is_redacted_rw_set
from .chainmaker_members import HASHES, Certificates, Suite
from .chainmaker_records import places, records, tx_id
from .ladder import EXECUTION, HEADER, NODE_QUORUM, PATH, ROOT, SENDER, TRANSACTION, Inclusion, short

ENDORSERS = "CHAINMAKER.ENDORSERS"
ENDORSERS_MAX = 200
"""Endorsements of one transaction that are checked: one of each organisation is asked for, and SM2 takes 2 ms."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction handed in by itself (Transaction or TransactionInfo).

    index, height, block_hash, timestamp   what a TransactionInfo says of its place; None for a bare Transaction
    """

    name: str
    body: Message
    index: int | None = None
    height: int | None = None
    block_hash: bytes | None = None
    timestamp: int | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """`about`: the transaction it was handed in for, where that is said (in a package); a file of its own says nothing."""

    name: str
    siblings: tuple[bytes, ...]
    about: Transaction | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Everything that was handed in about one transaction.

    body      from its own file where there is one, else from the block
    index     place in the block; None when nothing says
    info      the TransactionInfo, where one was handed in
    in_block  the body that the block holds at that place
    rw_sets   read-write sets handed in apart from the block
    """

    name: str
    body: Message | None
    index: int | None
    info: Transaction | None = None
    in_block: Message | None = None
    paths: tuple[Path, ...] = ()
    rw_sets: tuple[Message, ...] = ()
    superseded_by: str | None = None


def examine(
    subject: Subject,
    block: Examined | None,
    *,
    trust: TrustStore,
    known: Certificates,
    genesis: Mapping[str, frozenset[bytes]],
) -> tuple[Inclusion, ChainProfile | None]:
    """One transaction, in its block or alone -> its inclusion and the court's profile of its chain.

    genesis   hashes of block 0 by chain id, as handed in or claimed
    """
    return _Rungs(subject, block, trust, known, genesis).inclusion()


class _Rungs:
    def __init__(
        self,
        subject: Subject,
        block: Examined | None,
        trust: TrustStore,
        known: Certificates,
        genesis: Mapping[str, frozenset[bytes]],
    ) -> None:
        self._subject = subject
        self._block = block
        self._known = known
        self._name = f"{subject.name} · tx {short(tx_id(subject.body))}" if subject.body else subject.name
        self._payload = subject.body.message("payload") if subject.body else None
        self._result = subject.body.message("result") if subject.body else None
        if block is not None:
            self._profile = block.profile
            self._suites: tuple[Suite, ...] = (block.suite,)
            self._genesis: frozenset[bytes] = frozenset()
        else:
            self._suites = self._suites_alone()
            chain_id = self._payload.text("chain_id") if self._payload else ""
            settled = self._suites[0].hash if len(self._suites) == 1 else None
            self._genesis = genesis.get(chain_id, frozenset())
            found = agreeing(profiles(trust, chain_id, settled), self._genesis)
            # Of several chains of that name nothing says which: no block, no validators.
            self._profile = found[0] if len(found) == 1 else None
        self._leaf = block.leaf(subject.body) if block and subject.body else None
        body = subject.body
        self._redacted = (
            body is not None
            and is_redacted(body)
            and not any(members.sender_signed(body, known, s) for s in self._suites)
        )

    def _suites_alone(self) -> tuple[Suite, ...]:
        """Without a header nothing says which hash the chain uses: the one under which the sender's signature verifies,
        else every documented one."""
        suites = tuple(Suite(h) for h in HASHES)
        body = self._subject.body
        fitting = tuple(s for s in suites if body and members.sender_signed(body, self._known, s))
        return fitting or suites

    def inclusion(self) -> tuple[Inclusion, ChainProfile | None]:
        block, body = self._block, self._subject.body
        path = self._path()
        transaction = self._transaction(path)
        header = block.header if block else indeterminate(HEADER, Reason.PROOF_NOT_SUPPLIED, self._name)
        chain_id = self._payload.text("chain_id") if self._payload else "–"
        inclusion = Inclusion(
            subject=self._name,
            ledger_kind=block.kind
            if block
            else ledger_kind(self._name, chain_id, self._profile, self._genesis),
            transaction=transaction,
            sender=self._sender(),
            path=path,
            header=header,
            node_quorum=block.quorum.finding
            if block
            else indeterminate(NODE_QUORUM, Reason.PROOF_NOT_SUPPLIED, self._name),
            root=block.root if block else indeterminate(ROOT, Reason.ANCHOR_UNAVAILABLE, self._name),
            execution=self._execution(transaction, path, header),
            places=places(body) if body is not None and is_complete(body) else None,
            tx_id=tx_id(body) or None,
            leaf=self._leaf,
            merkle_root=block.block.header.data("tx_root") if block else None,
            block_hash=block.hash if block else None,
            height=block.block.height if block else None,
            time=block.time if block else None,
            quorum_label=block.quorum.label if block else "–",
            signers=block.quorum.operators if block else frozenset(),
            court_run=block.quorum.court_run if block else False,
            checkpoint=block.checkpoint if block else None,
            further=tuple(self._further()),
        )
        return inclusion, self._profile

    # ── X ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _transaction(self, path: Finding) -> Finding:
        """Step X: is this the body that was hashed?"""
        body, block = self._subject.body, self._block
        if body is None:
            return indeterminate(TRANSACTION, Reason.PROOF_NOT_SUPPLIED, self._name)
        if not is_complete(body):
            return indeterminate(TRANSACTION, Reason.TX_INCOMPLETE, self._name)
        if block is None or self._leaf is None:
            reason = Reason.REDACTED_EXPORT if self._redacted else Reason.PROOF_NOT_SUPPLIED
            return indeterminate(TRANSACTION, reason, self._name)
        chain_id = self._payload.text("chain_id") if self._payload else ""
        if chain_id != block.block.chain_id:
            return failed(
                TRANSACTION,
                Reason.FORMAT_FAILURE,
                self._name,
                expected=block.block.chain_id[:64],
                actual=chain_id[:64],
            )
        stated = self._stated_leaf()
        if stated is not None and stated != self._leaf:
            reason = Reason.REDACTED_EXPORT if self._redacted else Reason.HASH_FAILURE
            maker = indeterminate if self._redacted else failed
            return maker(TRANSACTION, reason, self._name, expected=stated.hex(), actual=self._leaf.hex())
        if self._redacted and path.outcome is not Outcome.PASSED:
            return indeterminate(TRANSACTION, Reason.REDACTED_EXPORT, self._name, actual=self._leaf.hex())
        return passed(TRANSACTION, self._name, expected=self._leaf.hex(), actual=self._leaf.hex())

    def _stated_leaf(self) -> bytes | None:
        """The leaf at this place as something else in the exhibit states it: the root of a block of one, the block's own body
        beside a separately supplied one, or a list of leaf hashes."""
        block, index = self._block, self._subject.index
        if block is None:
            return None
        if block.block.count == 1:
            return block.block.header.data("tx_root")
        if self._subject.info is not None and self._subject.in_block is not None:
            if is_redacted(self._subject.in_block):
                return None
            return block.leaf(self._subject.in_block)
        hashes = block.block.tx_hashes
        return hashes[index] if hashes is not None and index is not None and index < len(hashes) else None

    # ── S ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _sender(self) -> Finding:
        """Step S: the sender signs the payload."""
        body = self._subject.body
        entry = body.message("sender") if body else None
        if body is None or self._payload is None or entry is None:
            reason = Reason.PROOF_NOT_SUPPLIED if body is None else Reason.TX_INCOMPLETE
            return indeterminate(SENDER, reason, self._name)
        return self._signed(SENDER, entry)

    def _signed(self, check: str, entry: Message) -> Finding:
        """An endorsement entry over the payload."""
        message = self._payload.raw if self._payload else b""
        signer, signature = entry.message("signer"), entry.data("signature")
        presented = [(suite, members.read(signer, self._known, suite)) for suite in self._suites]
        usable = [(suite, member) for suite, member in presented if member.reason is None]
        for suite, member in usable:
            if members.signed(member, signature, message, suite):
                return identified(
                    check,
                    self._name,
                    member,
                    profile=self._profile,
                    known=self._known,
                    height=self._height,
                    at=self._at,
                )
        if not usable:
            member = presented[0][1]
            return indeterminate(
                check, member.reason or Reason.NO_SIGNING_CERTIFICATE_FOUND, self._name, actual=member.label
            )
        label = usable[0][1].label
        if self._redacted:
            return indeterminate(check, Reason.REDACTED_EXPORT, self._name, actual=label)
        return failed(check, Reason.SIG_CRYPTO_FAILURE, self._name, actual=label)

    @property
    def _height(self) -> int | None:
        if self._block is not None:
            return self._block.block.height
        return self._subject.info.height if self._subject.info else None

    @property
    def _at(self) -> datetime | None:
        """When a signer's certificate must have been valid: header time, or without a header the sender's own clock."""
        if self._block is not None:
            return self._block.at
        return instant_of(self._payload.number("timestamp")) if self._payload else None

    # ── R ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _path(self) -> Finding:
        """Step R: path, then all transactions of the block, then "cannot be used" (in this order, spec §4 step 3)."""
        block, subject = self._block, self._subject
        if block is None:
            return indeterminate(PATH, Reason.PROOF_NOT_SUPPLIED, self._name)
        if self._leaf is None:
            reason = Reason.PROOF_NOT_SUPPLIED if subject.body is None else Reason.TX_INCOMPLETE
            return indeterminate(PATH, reason, self._name)
        if conflict := self._place_conflict():
            stated, actual = conflict
            return failed(PATH, Reason.PROOF_FAILURE, self._name, expected=stated, actual=actual)
        root = block.block.header.data("tx_root").hex()
        if subject.index is None:
            return indeterminate(
                PATH, Reason.PROOF_NOT_SUPPLIED, self._name, expected=root, actual="tx_index"
            )
        misses = [(p, self._reached(p)) for p in subject.paths]
        missed = [(p, reached) for p, reached in misses if reached != root]
        current = self._profile is not None and self._profile.path_generation == "current"
        if missed and current:
            # Nodes of this generation return right paths: one that leads elsewhere contradicts the header.
            if self._redacted:
                return indeterminate(
                    PATH, Reason.REDACTED_EXPORT, self._name, expected=root, actual=missed[0][1]
                )
            where = f"{missed[0][0].name} · {self._name}"
            return failed(PATH, Reason.PROOF_FAILURE, where, expected=root, actual=missed[0][1])
        if len(missed) < len(misses):
            return passed(PATH, self._name, expected=root, actual=root)
        if self._in_tree():
            return passed(PATH, self._name, expected=root, actual=root, notes=("RECOMPUTED_FROM_LEAVES",))
        if block.levels is not None and not block.tree_holds:
            # The leaves are all there and do not give the root.
            if block.redacted or self._redacted:
                return indeterminate(PATH, Reason.REDACTED_EXPORT, self._name, expected=root)
            return failed(
                PATH, Reason.PROOF_FAILURE, self._name, expected=root, actual=block.levels[-1][0].hex()
            )
        if block.levels is not None:
            # The leaves are right and this one is not at its place among them.
            if self._redacted:
                return indeterminate(PATH, Reason.REDACTED_EXPORT, self._name, expected=root)
            return failed(
                PATH,
                Reason.PROOF_FAILURE,
                self._name,
                expected=block.levels[0][subject.index].hex(),
                actual=self._leaf.hex(),
            )
        if missed:
            return indeterminate(PATH, Reason.PROOF_UNUSABLE, self._name, expected=root, actual=missed[0][1])
        return indeterminate(PATH, Reason.PROOF_NOT_SUPPLIED, self._name, expected=root)

    def _place_conflict(self) -> tuple[str, str] | None:
        """(what the block says, what the TransactionInfo says) where they differ about the place of the transaction."""
        block, info, index = self._block, self._subject.info, self._subject.index
        if block is None:
            return None
        if index is not None and index >= block.block.count:
            return f"tx_count {block.block.count}", f"tx_index {index}"
        if info is None:
            return None
        header = block.block.header
        for name, stated, said in (
            ("tx_index", index, info.index),
            ("block_height", block.block.height, info.height),
            ("block_timestamp", header.number("block_timestamp"), info.timestamp),
        ):
            if said is not None and stated is not None and said != stated:
                return f"{name} {stated}", f"{name} {said}"
        if info.block_hash and info.block_hash != block.hash:
            return f"block_hash {block.hash.hex()}", f"block_hash {info.block_hash.hex()[:64]}"
        return None

    def _reached(self, path: Path) -> str | None:
        """The root (hex) a path leads to, None when it does not fit the place."""
        block, index = self._block, self._subject.index
        if block is None or self._leaf is None or index is None:
            return None
        try:
            return merkle.repeating_root(
                self._leaf,
                path.siblings,
                index=index,
                count=block.block.count,
                algorithm=block.suite.hash,
            ).hex()
        except merkle.PathError:
            return None

    def _in_tree(self) -> bool:
        block, index = self._block, self._subject.index
        return (
            block is not None
            and block.tree_holds
            and block.levels is not None
            and index is not None
            and block.levels[0][index] == self._leaf
        )

    # ── E ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _execution(self, transaction: Finding, path: Finding, header: Finding) -> Finding:
        """Step E: `result.code` and the contract's own code are 0, and the root covers both."""
        if self._result is None or self._subject.body is None:
            reason = Reason.PROOF_NOT_SUPPLIED if self._subject.body is None else Reason.TX_INCOMPLETE
            return indeterminate(EXECUTION, reason, self._name)
        outcome = self._result.message("contract_result")
        codes = (self._result.number("code"), outcome.number("code") if outcome else 0)
        shown = f"code {codes[0]}, contract code {codes[1]}"
        if any(codes):
            return failed(
                EXECUTION,
                Reason.EXECUTION_FAILED,
                self._name,
                expected="code 0, contract code 0",
                actual=shown,
            )
        for rung in (transaction, path, header):
            if rung.outcome is not Outcome.PASSED:
                open_ = rung.reason if rung.outcome is Outcome.INDETERMINATE else None
                return indeterminate(EXECUTION, open_ or Reason.RECEIPT_NOT_BOUND, self._name, actual=shown)
        if missing := self._missing_event():
            return indeterminate(EXECUTION, Reason.PROMISE_ONLY, self._name, expected=missing, actual=shown)
        return passed(EXECUTION, self._name, actual=shown, notes=self._record_notes())

    def _missing_event(self) -> str | None:
        """The event that, by the court's profile, completes a record of this method, where the transaction lacks it."""
        outcome = self._result.message("contract_result") if self._result else None
        topics = {e.text("topic") for e in outcome.messages("contract_event")} if outcome else set()
        for contract in self._profile.contracts if self._profile else ():
            mine = self._payload is not None and (
                contract.name.lower() == self._payload.text("contract_name").lower()
                and contract.method == self._payload.text("method")
            )
            if mine and contract.final_event and contract.final_event not in topics:
                return contract.final_event
        return None

    def _record_notes(self) -> tuple[str, ...]:
        payload, body = self._payload, self._subject.body
        if payload is None or body is None:
            return ()
        notes = [f"CONTRACT_METHOD:{payload.text('contract_name')[:64]}.{payload.text('method')[:64]}"]
        if self._subject.superseded_by:
            notes.append(f"SUPERSEDED_BY_UPDATE:{self._subject.superseded_by[:64]}")
        elif records(body):
            notes.append("LATER_UPDATE_POSSIBLE")
        return tuple(notes)

    # ── beside the ladder ─────────────────────────────────────────────────────────────────────────────────────────────

    def _further(self) -> Iterator[Finding]:
        result, body = self._result, self._subject.body
        if result is not None:
            for rw_set in self._subject.rw_sets:
                redacted = self._redacted or is_redacted_rw_set(rw_set)
                yield rw_set_finding(self._name, rw_set, result, suites=self._suites, redacted=redacted)
        if body is not None and self._payload is not None:
            endorsers = body.messages("endorsers")
            signed = [self._signed(ENDORSERS, e) for e in endorsers[:ENDORSERS_MAX]]
            if len(endorsers) > ENDORSERS_MAX:
                limit = Reason.RESOURCE_LIMIT
                yield indeterminate(ENDORSERS, limit, self._name, actual=str(len(endorsers)), bearing=Bearing.DECISIVE)
            if signed:
                worst = next((f for f in signed if f.outcome is Outcome.FAILED), None)
                worst = worst or next((f for f in signed if f.outcome is not Outcome.PASSED), signed[0])
                yield _counted(worst, signed)
        if self._block is not None:
            yield from self._block.findings


def _counted(worst: Finding, signed: Sequence[Finding]) -> Finding:
    """One finding for all endorsers: the worst answer, and how many are valid."""
    valid = sum(1 for f in signed if f.outcome is Outcome.PASSED)
    return Finding(
        worst.check,
        worst.outcome,
        worst.reason,
        worst.subject,
        expected=str(len(signed)),
        actual=f"{valid}: {', '.join(f.actual or '–' for f in signed)}"[:400],
        notes=worst.notes,
    )
