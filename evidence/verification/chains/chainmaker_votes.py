"""ChainMaker 2.x, rung Q: did enough validators that the court has pinned sign the block? (spec consortium-chains §4)

TBFT leaves its precommits in `additional_data.extra_data` as a VoteSet. A vote is a signature over its own bytes without the
endorsement. Counted are the court's pinned identities, each once: a voter string is a network name that anybody can write,
and one certificate may vote under two of them. RAFT leaves one signature, the proposer's; SOLO leaves nothing to count.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..codecs import protobuf
from ..codecs.protobuf import Message, ProtobufError
from ..reasons import Reason
from ..trust import ChainProfile, Epoch, Validator
from ..verdict import Finding, Outcome, failed, indeterminate, passed
from . import chainmaker_members as members
from . import chainmaker_messages as messages
from .chainmaker_members import Certificates, Member, Suite
from .ladder import NODE_QUORUM

TBFT_KEY = "TBFTAddtionalDataKey"
"""Spelt so by the node."""
VOTES_MAX = 1024
"""Validators of one set (spec §2 rule 6)."""
COURT = "court"
"""`role` of a validator that the court itself runs."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What the votes are about: a recomputed header hash, its height and time, and where it was read."""

    subject: str
    block_hash: bytes
    height: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Quorum:
    """Rung Q: the finding, a short text for the drawing, the operators of the signers that counted, and whether all are the court's."""

    finding: Finding
    label: str
    operators: frozenset[str] = frozenset()
    court_run: bool = False


@dataclass(frozen=True, slots=True)
class _Vote:
    member: Member
    valid: bool
    counts: bool
    """For this block; a vote for nothing, or for another block, is a lawful vote that does not count."""


class _Refused(ValueError):
    """The vote set contradicts itself."""


def tbft(
    extra: Mapping[str, bytes],
    about: Signed,
    *,
    profile: ChainProfile | None,
    known: Certificates,
    suite: Suite,
) -> Quorum:
    """The VoteSet of a block -> rung Q under the court's profile, or without one."""
    raw = extra.get(TBFT_KEY)
    if not extra:
        return missing(about)
    if raw is None:
        # MaxBFT and DPoS leave other entries; their rules are not implemented.
        return unsupported(about, ", ".join(sorted(k[:40] for k in extra)[:3]))
    try:
        vote_set = protobuf.parse(raw, messages.VOTE_SET)
        majority = vote_set.data("maj23")
        if majority != about.block_hash:
            # Whatever these votes decided, it is not this block.
            finding = failed(
                NODE_QUORUM,
                Reason.QUORUM_FAILURE,
                about.subject,
                expected=about.block_hash.hex(),
                actual=majority.hex()[:64],
            )
            return Quorum(finding, "0")
        votes = _votes(vote_set, about, known, suite)
    except ProtobufError as fault:
        unreadable = messages.unreadable(fault)
        maker = failed if unreadable.reason is Reason.FORMAT_FAILURE else indeterminate
        return Quorum(maker(NODE_QUORUM, unreadable.reason, about.subject, actual=str(unreadable)), "–")
    except _Refused as fault:
        return Quorum(failed(NODE_QUORUM, Reason.FORMAT_FAILURE, about.subject, actual=str(fault)), "–")
    return _weigh(votes, about, profile=profile, known=known)


def voters(extra: Mapping[str, bytes], about: Signed, known: Certificates, suite: Suite) -> tuple[Member, ...]:
    """Those with a valid precommit for this block, each once, whoever they are; nobody where the set contradicts itself."""
    try:
        vote_set = protobuf.parse(extra.get(TBFT_KEY, b""), messages.VOTE_SET)
        if vote_set.data("maj23") != about.block_hash:
            return ()
        cast = _votes(vote_set, about, known, suite)
    except (ProtobufError, _Refused):
        return ()
    return tuple(dict.fromkeys(v.member for v in cast if v.valid and v.counts))


def single(
    proposer: Member, valid: bool, about: Signed, *, profile: ChainProfile, known: Certificates
) -> Quorum:
    """RAFT: one signature, the leader's, which is the proposer's over the block hash."""
    return _weigh([_Vote(proposer, valid, True)], about, profile=profile, known=known, needed=1)


def missing(about: Signed) -> Quorum:
    """Nothing was handed in that could be counted."""
    return Quorum(indeterminate(NODE_QUORUM, Reason.PROOF_NOT_SUPPLIED, about.subject), "–")


def unsupported(about: Signed, actual: str) -> Quorum:
    """Consensus of a kind whose rules are not implemented."""
    return Quorum(indeterminate(NODE_QUORUM, Reason.UNSUPPORTED_FORMAT, about.subject, actual=actual), "–")


def none(about: Signed) -> Quorum:
    """SOLO: one node decides alone and signs nothing that could be counted."""
    return Quorum(indeterminate(NODE_QUORUM, Reason.FINALITY_INSUFFICIENT, about.subject), "–")


def needed_of(total: int) -> int:
    """TBFT: more than two thirds."""
    return 2 * total // 3 + 1


def _votes(votes: Message, about: Signed, known: Certificates, suite: Suite) -> list[_Vote]:
    """Every vote of the set, checked against the set itself. Raises _Refused."""
    # The set: precommits of this height (that they are for this block has been seen).
    if votes.number("type") != messages.PRECOMMIT:
        raise _Refused("not a set of precommits")
    if votes.number("height") != about.height:
        raise _Refused(f"votes of height {votes.number('height')}, not {about.height}")
    entries: Mapping[str, Message] = votes.entries("votes")
    if len(entries) > VOTES_MAX or votes.number("sum") != len(entries):
        raise _Refused(f"{len(entries)} votes where {votes.number('sum')} are stated")
    # Each vote: its own voter, the type, height and round of the set.
    for voter, vote in entries.items():
        if vote.text("voter") != voter:
            raise _Refused(f"the vote of {voter[:64]} names {vote.text('voter')[:64]}")
        if any(vote.number(n) != votes.number(n) for n in ("type", "height", "round")):
            raise _Refused(f"the vote of {voter[:64]} is of another type, height or round")
    _check_by_block(votes, entries)
    return [_vote(entries[voter], about, known, suite) for voter in sorted(entries)]


def _check_by_block(votes: Message, entries: Mapping[str, Message]) -> None:
    """The node writes the same votes a second time, grouped by block; what differs there contradicts the first."""
    groups: Mapping[str, Message] = votes.entries("votes_by_block")
    for name, group in groups.items():
        inside: Mapping[str, Message] = group.entries("votes")
        if group.number("sum") != len(inside) or any(
            voter not in entries
            or entries[voter].raw != vote.raw
            or b64encode(vote.data("hash")).decode() != name
            for voter, vote in inside.items()
        ):
            raise _Refused("the votes grouped by block differ from the votes")


def _vote(vote: Message, about: Signed, known: Certificates, suite: Suite) -> _Vote:
    endorsement = vote.message("endorsement")
    member = members.read(endorsement.message("signer") if endorsement else None, known, suite)
    valid = (
        member.key is not None
        and endorsement is not None
        and members.signed(member, endorsement.data("signature"), vote.without("endorsement"), suite)
    )
    return _Vote(member, valid, vote.data("hash") == about.block_hash)


def _weigh(
    votes: Sequence[_Vote],
    about: Signed,
    *,
    profile: ChainProfile | None,
    known: Certificates,
    needed: int | None = None,
) -> Quorum:
    """Votes -> rung Q. `needed` overrides the formula (RAFT)."""
    wrong = [v.member.label for v in votes if v.member.key is not None and not v.valid]
    if wrong:
        return Quorum(
            failed(NODE_QUORUM, Reason.SIG_CRYPTO_FAILURE, about.subject, actual=", ".join(wrong)), "–"
        )
    counted = [v for v in votes if v.counts]
    epoch = profile.epoch_at(about.height) if profile else None
    if profile is None or (epoch is None and not profile.org_roots):
        stated = f"{len(counted)}"
        return Quorum(
            indeterminate(NODE_QUORUM, Reason.ANCHOR_UNTRUSTED, about.subject, actual=stated), stated
        )
    if epoch is not None and epoch.validators:
        return _by_validators(counted, about, epoch, needed)
    return _by_roots(counted, about, profile, epoch, known, needed)


def _by_validators(votes: Sequence[_Vote], about: Signed, epoch: Epoch, needed: int | None) -> Quorum:
    """The court names every validator: each counts once, and nobody else may have voted."""
    total = sum(v.weight for v in epoch.validators)
    needed = needed or epoch.quorum or needed_of(total)
    found: dict[int, Validator] = {}
    keys: set[bytes | None] = set()
    strangers: list[str] = []
    unresolved: list[Reason] = []
    outdated = False
    for vote in votes:
        validator = members.pinned(vote.member, epoch) if vote.member.reason is None else None
        if vote.member.reason is not None:
            unresolved.append(vote.member.reason)
        elif validator is None:
            strangers.append(vote.member.label)
        elif _outdated(vote.member, about.at):
            outdated = True
        elif vote.member.key not in keys:
            # A node whose certificate was renewed is listed under both, and still is one node.
            keys.add(vote.member.key)
            found[epoch.validators.index(validator)] = validator
    chosen = [found[i] for i in sorted(found)]
    weight = sum(v.weight for v in chosen)
    label = f"{weight}/{total} (≥{needed})"
    expected = f"≥{needed} / {total}"
    names = ", ".join(v.node_name or v.org for v in chosen)
    actual = f"{weight}: {names}" if names else f"{weight}"
    if strangers:
        # Somebody votes whom the court does not know: the set is another than the pinned one, so its size is unknown too.
        closed = epoch.to_height is not None
        maker, reason = (
            (failed, Reason.ANCHOR_MISMATCH) if closed else (indeterminate, Reason.ANCHOR_UNTRUSTED)
        )
        stranger = f"{actual}; {', '.join(strangers)}"[:400]
        return Quorum(maker(NODE_QUORUM, reason, about.subject, expected=expected, actual=stranger), label)
    if weight >= needed:
        return _enough(about, label, expected, actual, [(v.operator, v.role) for v in chosen])
    if unresolved or outdated:
        reason = unresolved[0] if unresolved else Reason.OUT_OF_BOUNDS_NO_POE
        return Quorum(
            indeterminate(NODE_QUORUM, reason, about.subject, expected=expected, actual=actual), label
        )
    return Quorum(
        failed(NODE_QUORUM, Reason.QUORUM_FAILURE, about.subject, expected=expected, actual=actual), label
    )


def _by_roots(
    votes: Sequence[_Vote],
    about: Signed,
    profile: ChainProfile,
    epoch: Epoch | None,
    known: Certificates,
    needed: int | None,
) -> Quorum:
    """The court pins only the roots of organisations. An authority can issue any number of certificates, so that each
    organisation counts once, however many of its nodes have voted; and the size of the set must be stated by the court."""
    needed = needed or (epoch.quorum if epoch else None)
    found: dict[str, str] = {}
    open_: list[Reason] = []
    for vote in votes:
        reason = vote.member.reason or _no_path(vote.member, about, profile, known)
        if reason is None:
            found.setdefault(vote.member.org, vote.member.org)
        else:
            open_.append(reason)
    orgs = sorted(found)
    label = f"{len(orgs)} (≥{needed or '?'})"
    expected = None if needed is None else f"≥{needed}"
    actual = f"{len(orgs)}: {', '.join(orgs)}" if orgs else "0"
    operators = {v.org: (v.operator, v.role) for e in profile.epochs for v in e.validators}
    if needed is not None and len(orgs) >= needed:
        # Without a word from the court on who runs an organisation's node, the chain's operator is taken to run it.
        default = (profile.operator, "platform")
        return _enough(about, label, expected, actual, [operators.get(o, default) for o in orgs])
    if open_:
        reason = open_[0]
    elif needed is None:
        reason = Reason.ANCHOR_UNAVAILABLE
    elif len(votes) >= needed:
        reason = Reason.FINALITY_INSUFFICIENT
    else:
        return Quorum(
            failed(NODE_QUORUM, Reason.QUORUM_FAILURE, about.subject, expected=expected, actual=actual), label
        )
    return Quorum(indeterminate(NODE_QUORUM, reason, about.subject, expected=expected, actual=actual), label)


def _no_path(member: Member, about: Signed, profile: ChainProfile, known: Certificates) -> Reason | None:
    """Why this voter is nobody to the court, or None."""
    if about.at is None:
        return Reason.OUT_OF_BOUNDS_NO_POE
    path = members.path(member, profile, known, height=about.height, at=about.at)
    if path is None:
        return Reason.NO_CERTIFICATE_CHAIN_FOUND
    if path.outcome is not Outcome.PASSED:
        return path.reason
    return None if members.is_consensus_node(member.certificate or b"") else Reason.CHAIN_CONSTRAINTS_FAILURE


def _outdated(member: Member, at: datetime | None) -> bool:
    if member.certificate is None:
        return False
    return at is None or not members.within_validity(member.certificate, at)


def _enough(
    about: Signed, label: str, expected: str | None, actual: str, signers: Sequence[tuple[str, str]]
) -> Quorum:
    notes = ("SINGLE_SIGNER",) if len(signers) == 1 else ()
    return Quorum(
        passed(NODE_QUORUM, about.subject, expected=expected, actual=actual, notes=notes),
        label,
        frozenset(operator for operator, _ in signers),
        all(role == COURT for _, role in signers),
    )
