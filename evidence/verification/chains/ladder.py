"""The check ladder of every ledger proof and what it makes of one proof (spec consortium-chains §3).

A family module recomputes its own chain and hands over an `Inclusion`: one finding per rung. This module adds the rungs
that do not depend on the family (D, T), grades the proof and draws the walk:

    file –D→ digest –T→ record –E→ transaction –X→ leaf –R→ root –H→ block –Q or C→ signers or checkpoint –0→ the court's pin
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..trust import ChainProfile
from ..verdict import (
    Bearing,
    Examination,
    Finding,
    Grade,
    Node,
    NodeKind,
    Outcome,
    ProofState,
    ProvenTime,
    Walk,
    failed,
    indeterminate,
    instant,
    passed,
    step,
)
from .location import NAME_SHOWN, Hit, Location, Place, algorithms, locate

LEDGER_KIND = "INCL.LEDGER_KIND"
DIGEST = "DIGEST.MATCH"
CONTENT = "INCL.CONTENT"
TRANSACTION = "INCL.TRANSACTION"
SENDER = "INCL.SENDER"
PATH = "INCL.PATH"
HEADER = "INCL.HEADER"
NODE_QUORUM = "INCL.NODE_QUORUM"
ROOT = "INCL.ROOT"
EXECUTION = "INCL.EXECUTION"
FINALITY = "INCL.FINALITY"
TIME = "INCL.TIME"

LABEL_DIGITS = 16
"""Hex digits shown of a digest in a box of the drawing; the finding carries all of them."""


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """How step C was passed: the basis of the court's checkpoint and when it was recorded."""

    basis: str
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Inclusion:
    """One transaction's proof as a family module recomputed it. Every rung is a finding with its check id above.

    places      values inside the transaction, None when its body was not supplied or not readable
    checkpoint  set exactly when `root` (step C) was passed by EQUAL or LINKED_BACK
    signers     operators of the distinct pinned validators whose signatures counted
    court_run   every counted signer is run by the court itself
    time        header time and whose clock it is (`PROPOSER`), None when the header carries none or was not supplied
    """

    subject: str
    ledger_kind: Finding
    transaction: Finding
    sender: Finding
    path: Finding
    header: Finding
    node_quorum: Finding
    root: Finding
    execution: Finding
    places: tuple[Place, ...] | None
    tx_id: str | None
    leaf: bytes | None
    merkle_root: bytes | None
    block_hash: bytes | None
    height: int | None
    time: ProvenTime | None
    quorum_label: str
    signers: frozenset[str] = frozenset()
    court_run: bool = False
    checkpoint: Checkpointed | None = None
    further: tuple[Finding, ...] = ()
    """Findings of the family that stand beside the ladder (receipts, write sets, proposer signatures …)."""


@dataclass(frozen=True, slots=True)
class Proof:
    """An inclusion with the court's profile of its chain, and where in the transaction digests stand."""

    inclusion: Inclusion
    profile: ChainProfile | None
    location: Location

    @property
    def spoken_of(self) -> frozenset[Source]:
        """Files whose digest stands in the transaction."""
        return frozenset(h.source for h in self.location.hits)

    @property
    def recorded(self) -> frozenset[bytes]:
        """The digests that the transaction records, as far as they are known to be digests."""
        mapped = {value for _, _, value in self.location.mapped if value is not None}
        return frozenset(mapped | {h.value for h in self.location.hits})


def proof(inclusion: Inclusion, *, profile: ChainProfile | None, context: Context) -> Proof:
    """What a family recomputed, with the digests of the exhibit's files looked for in it: of the content, and of what came with it,
    because platforms record their certificates as well, and such a record is not held against the evidence."""
    places = inclusion.places
    if places is None:
        return Proof(inclusion, profile, Location((), ()))
    others = tuple(s for s in context.exhibit.sources if s not in context.content)
    return Proof(inclusion, profile, locate((*context.content, *others), places, profile, inclusion.height))


def examine(
    found: Proof, *, at: datetime, unspoken: Sequence[Source], stated_otherwise: bytes | None
) -> Examination:
    """One proof -> findings in ladder order, and a walk for each file whose digest it carries.

    unspoken          content files whose digest no proof of the exhibit holds: this one may have been meant for them
    stated_otherwise  the digest that a certificate states for this transaction, where it is not the one recorded
    """
    inclusion, location, profile = found.inclusion, found.location, found.profile
    t = _content(inclusion, location, stated_otherwise, profile)
    pairs = _digest_findings(unspoken, inclusion, location)
    quorum = _quorum_beside_checkpoint(inclusion)
    finality = _finality(inclusion, quorum)
    findings = (
        inclusion.ledger_kind,
        *(d for _, _, d in pairs),
        t,
        inclusion.transaction,
        inclusion.sender,
        inclusion.path,
        inclusion.header,
        quorum,
        inclusion.root,
        finality,
        inclusion.execution,
        *_time_finding(inclusion, at),
        *inclusion.further,
    )
    grade = _grade(inclusion, quorum, profile)
    walks = tuple(
        _walk(inclusion, source, label, d, t, quorum, grade, profile) for source, label, d in pairs
    )
    return Examination(
        findings=findings,
        walks=walks,
        not_proven=("NOT_PROVEN.LATER_UPDATE", "NOT_PROVEN.CHAIN_CLOCK"),
    )


def short(value: bytes | str | None) -> str:
    """A digest shortened for a box."""
    text = value.hex() if isinstance(value, bytes) else (value or "–")
    return text if len(text) <= LABEL_DIGITS + 1 else text[:LABEL_DIGITS] + "…"


def _digest_findings(
    unspoken: Sequence[Source], inclusion: Inclusion, location: Location
) -> list[tuple[Source | None, str, Finding]]:
    """Rung D: (file, label of the digest it is compared with, finding) for each file this proof speaks of.

    A proof of none of the files refutes the one file that nothing else speaks of. Otherwise nobody says which file was
    meant; that one is missing keeps the exhibit open, because a proof that proves nothing in it is not part of a result.
    """
    hits: dict[Source, Hit] = {}
    for hit in location.hits:
        hits.setdefault(hit.source, hit)
    if hits:
        return [
            (
                source,
                f"{hit.alg} {short(hit.value)}",
                passed(
                    DIGEST,
                    f"{source.name} · {inclusion.subject}",
                    expected=f"{hit.alg} {hit.value.hex()}",
                    actual=f"{hit.alg} {hit.value.hex()}",
                ),
            )
            for source, hit in hits.items()
        ]
    recorded = [(alg, value) for _, alg, value in location.mapped if value is not None]
    if recorded and len(unspoken) == 1:
        # The court's map says where the digest stands, and it is the digest of none of the files handed in.
        alg, value = recorded[0]
        tried = algorithms(alg, value)
        name, names = tried[0], " / ".join(tried)
        return [
            (
                source,
                f"{names} {short(value)}",
                failed(
                    DIGEST,
                    Reason.HASH_FAILURE,
                    f"{source.name} · {inclusion.subject}",
                    expected=f"{names} {value.hex()}",
                    actual=f"{name} {source.digest(name).hex()}",
                ),
            )
            for source in unspoken
        ]
    names = ", ".join(s.name for s in unspoken[:3]) or "–"
    subject = f"{names} · {inclusion.subject}"
    missing = indeterminate(DIGEST, Reason.SIGNED_DATA_NOT_FOUND, subject, bearing=Bearing.DECISIVE)
    return [(None, "–", missing)]


def _content(
    inclusion: Inclusion, location: Location, stated_otherwise: bytes | None, profile: ChainProfile | None
) -> Finding:
    """Rung T."""
    subject = inclusion.subject
    if inclusion.places is None:
        reason = inclusion.transaction.reason or Reason.TX_INCOMPLETE
        if inclusion.transaction.outcome is Outcome.FAILED:
            reason = Reason.TX_INCOMPLETE
        return indeterminate(CONTENT, reason, subject)
    if location.mapped:
        place, _, value = location.mapped[0]
        if location.hits:
            place, value = location.hits[0].place, location.hits[0].value
        if value is None:
            return indeterminate(
                CONTENT, Reason.DIGEST_NOT_LOCATED, subject, expected=place.label, actual=_printable(place.value)
            )
        if stated_otherwise is not None:
            return failed(
                CONTENT,
                Reason.HASH_FAILURE,
                subject,
                expected=stated_otherwise.hex(),
                actual=f"{place.label} = {value.hex()}",
            )
        return passed(CONTENT, subject, expected=place.label, actual=value.hex())
    if location.hits:
        hit = location.hits[0]
        where = f"{hit.place.label} +{hit.offset}"
        if profile is not None and profile.accept_raw_hit:
            notes = ("RAW_HIT_ACCEPTED",)
            return passed(CONTENT, subject, expected=hit.value.hex(), actual=where, notes=notes)
        return indeterminate(
            CONTENT, Reason.CONTRACT_UNKNOWN, subject, expected=hit.value.hex(), actual=where
        )
    return indeterminate(CONTENT, Reason.DIGEST_NOT_LOCATED, subject)


def _time_finding(inclusion: Inclusion, at: datetime) -> list[Finding]:
    """A time that lies after the moment of verification bounds nothing: somebody's clock, or `at`, is wrong."""
    time = _time(inclusion)
    if time is None:
        return []
    shown = instant(time.not_after)
    if time.not_after <= at:
        return [passed(TIME, inclusion.subject, actual=shown)]
    late = Reason.TIMESTAMP_ORDER_FAILURE
    expected = f"≤ {instant(at)}"
    return [
        indeterminate(TIME, late, inclusion.subject, expected=expected, actual=shown, bearing=Bearing.DECISIVE)
    ]


def _quorum_beside_checkpoint(inclusion: Inclusion) -> Finding:
    """§3.3: a block that the court has pinned needs no quorum; too few signatures then refute nothing."""
    q = inclusion.node_quorum
    if inclusion.checkpoint and q.outcome is Outcome.FAILED and q.reason is Reason.QUORUM_FAILURE:
        return indeterminate(
            NODE_QUORUM, Reason.FINALITY_INSUFFICIENT, q.subject, expected=q.expected, actual=q.actual, notes=q.notes
        )
    return q


def _finality(inclusion: Inclusion, quorum: Finding) -> Finding:
    """Derived for the rule matrix: passed by Q or by C; otherwise it is Q's answer. Never decides a second time."""
    if quorum.outcome is Outcome.PASSED or inclusion.checkpoint:
        return passed(FINALITY, inclusion.subject, bearing=Bearing.ADVISORY)
    reason = quorum.reason or Reason.PROOF_NOT_SUPPLIED
    maker = failed if quorum.outcome is Outcome.FAILED else indeterminate
    return maker(FINALITY, reason, inclusion.subject, bearing=Bearing.ADVISORY)


def _grade(inclusion: Inclusion, quorum: Finding, profile: ChainProfile | None) -> Grade:
    """§3.3, first row that holds; the weakest link decides."""
    ok = Outcome.PASSED
    if profile is None or inclusion.path.outcome is not ok or inclusion.header.outcome is not ok:
        return Grade.E
    if inclusion.checkpoint:
        return Grade.A if inclusion.checkpoint.basis == "independent" else Grade.B
    if quorum.outcome is not ok or profile.consensus == "NONE":
        return Grade.E
    if profile.consensus == "BFT" and len(inclusion.signers) >= 2:
        return Grade.B
    return Grade.C if inclusion.court_run else Grade.D


def _state(inclusion: Inclusion, quorum: Finding) -> ProofState:
    ok = Outcome.PASSED
    if inclusion.execution.reason is Reason.PROMISE_ONLY:
        return ProofState.PROMISED
    rungs = (inclusion.transaction, inclusion.path, inclusion.header)
    final = quorum.outcome is ok or inclusion.checkpoint is not None
    return ProofState.PROVEN if final and all(r.outcome is ok for r in rungs) else ProofState.ASSERTED


def _walk(
    inclusion: Inclusion,
    source: Source | None,
    digest_label: str,
    d: Finding,
    t: Finding,
    quorum: Finding,
    grade: Grade,
    profile: ChainProfile | None,
) -> Walk:
    file = Node(NodeKind.FILE, source.name if source else "–")
    digest = Node(NodeKind.DIGEST, digest_label)
    record = Node(NodeKind.RECORD, inclusion.places[0].contract[:NAME_SHOWN] if inclusion.places else "–")
    transaction = Node(NodeKind.TRANSACTION, short(inclusion.tx_id))
    leaf = Node(NodeKind.LEAF, short(inclusion.leaf))
    root = Node(NodeKind.ROOT, short(inclusion.merkle_root))
    height = "–" if inclusion.height is None else str(inclusion.height)
    block = Node(NodeKind.BLOCK, f"{height} · {short(inclusion.block_hash)}")
    if inclusion.checkpoint:
        final, finding = Node(NodeKind.VALIDATORS, "checkpoint"), inclusion.root
    else:
        final, finding = Node(NodeKind.VALIDATORS, inclusion.quorum_label), quorum
    pin = Node(NodeKind.ANCHOR, profile.title.get("zh", profile.id) if profile else "–")
    return Walk(
        source=inclusion.subject,
        file=source.sha256 if source else "",
        steps=(
            step(file, digest, d),
            step(digest, record, t),
            step(record, transaction, inclusion.execution),
            step(transaction, leaf, inclusion.transaction),
            step(leaf, root, inclusion.path),
            step(root, block, inclusion.header),
            step(block, final, finding),
            step(final, pin, inclusion.ledger_kind),
        ),
        grade=grade,
        state=_state(inclusion, quorum),
        time=_time(inclusion),
    )


def _time(inclusion: Inclusion) -> ProvenTime | None:
    """The earlier of header time and checkpoint record bounds the time from above."""
    recorded = inclusion.checkpoint.recorded_at if inclusion.checkpoint else None
    if recorded and (inclusion.time is None or recorded < inclusion.time.not_after):
        return ProvenTime(recorded, "CHECKPOINT")
    return inclusion.time


def _printable(value: bytes) -> str:
    """A recorded value that is not a digest, shown safely and short."""
    return value[:48].decode("utf-8", "backslashreplace").encode("unicode_escape").decode("ascii")[:96]
