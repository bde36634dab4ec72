"""Step Q of a XuperChain block: who signed it (spec §8 step 4).

A block carries its proposer's signature, and the block after it the votes for it (`Justify`, chained BFT). The chain's own node
checks neither who may propose nor that a voter is counted once; here both count only by the key that the court has pinned.

The height is not under any hash. It is known only where links lead from the block to one that the court has pinned; otherwise
the block says nothing about which validator set was in force, and any that the court has pinned for this chain may answer.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..reasons import Reason
from ..trust import ChainProfile, Epoch, Validator
from ..verdict import Finding, Outcome, failed, indeterminate, passed
from .ladder import NODE_QUORUM
from .xuperchain_hashing import votes
from .xuperchain_keys import PublicKey, is_address_of, public_key, signed
from .xuperchain_links import consistent, forward
from .xuperchain_tree import Linked

VOTES_MAX = 1024
"""Validators of one chain (spec §2 rule 6)."""
REPEATS_MAX = 4
"""Votes of one validator that are checked; one would do, and more only cost time."""
NAMES_MAX = 8
"""Validators named in a finding; the numbers count them all."""
SUCCESSORS_MAX = 8
"""Blocks upon one block whose votes are looked at: a chain has one, a fork two."""
TEXT_SHOWN = 64


@dataclass(frozen=True, slots=True)
class Quorum:
    finding: Finding
    label: str
    operators: frozenset[str] = frozenset()
    court_run: bool = False


def quorum(
    it: Linked, *, subject: str, profile: ChainProfile | None, height: int | None, others: Sequence[Linked]
) -> Quorum:
    """Step Q. `height`: as links prove it; `others`: blocks among which the next one with the votes may be."""
    block = it.block
    successors = [o for o in others if o.block.pre_hash == it.id and consistent(o)]
    if not block.body.has("sign") or block.key is None:
        return Quorum(indeterminate(NODE_QUORUM, Reason.PROOF_NOT_SUPPLIED, subject), "–")
    if profile is None:
        finding = indeterminate(NODE_QUORUM, Reason.ANCHOR_UNTRUSTED, subject, actual=block.proposer[:TEXT_SHOWN])
        return Quorum(finding, "–")
    if block.key.suite.signature != profile.signature:
        actual = f"{block.key.suite.signature} ≠ {profile.signature}"
        return Quorum(indeterminate(NODE_QUORUM, Reason.ANCHOR_UNTRUSTED, subject, actual=actual), "–")
    if height is None:
        epochs = sorted(profile.epochs, key=lambda e: (not e.covers(block.body.number("height")), e.from_height))
    else:
        found = profile.epoch_at(height)
        epochs = [found] if found else []
    if not epochs:
        return Quorum(indeterminate(NODE_QUORUM, Reason.ANCHOR_UNAVAILABLE, subject, actual=str(height)), "–")
    results = [
        _in_epoch(it, epoch, subject=subject, profile=profile, settled=height is not None, successors=successors)
        for epoch in epochs
    ]
    return min(results, key=_rank)


def _rank(found: Quorum) -> int:
    """Of several epochs: an invalid signature refutes under any of them; then the one that passes, then one that knows the proposer."""
    finding = found.finding
    if finding.reason is Reason.SIG_CRYPTO_FAILURE:
        return 0
    if finding.outcome is Outcome.PASSED:
        return 1
    return 3 if finding.reason in (Reason.ANCHOR_UNTRUSTED, Reason.ANCHOR_MISMATCH) else 2


def required(total: int, *, profile: ChainProfile, epoch: Epoch) -> int:
    """Weight that decides: n − ⌊(n−1)/3⌋ (chained-bft CalVotesThreshold), one for a single proposer, or what the court set."""
    if epoch.quorum is not None:
        return epoch.quorum
    return total - (total - 1) // 3 if profile.consensus == "BFT" else 1


def _in_epoch(
    it: Linked, epoch: Epoch, *, subject: str, profile: ChainProfile, settled: bool, successors: Sequence[Linked]
) -> Quorum:
    pinned: dict[bytes | None, Validator] = {v.key: v for v in epoch.validators if v.key is not None}
    proposer = pinned.get(it.block.key.point) if it.block.key else None
    if proposer is None:
        # Only at a known height does a settled set contradict the block.
        closed = settled and epoch.to_height is not None
        maker, reason = (failed, Reason.ANCHOR_MISMATCH) if closed else (indeterminate, Reason.ANCHOR_UNTRUSTED)
        actual = it.block.proposer[:TEXT_SHOWN]
        return Quorum(maker(NODE_QUORUM, reason, subject, expected=_names(epoch.validators), actual=actual), "–")
    if not _own_signature(it):
        return Quorum(failed(NODE_QUORUM, Reason.SIG_CRYPTO_FAILURE, subject, actual=_names([proposer])), "–")
    cast = [_votes(it, successor, pinned, proposer) for successor in successors[:SUCCESSORS_MAX]]
    best = max(cast, key=lambda v: (bool(v.invalid), v.supplied, len(v.signed)), default=_Votes((proposer,), (), 0, False))
    return _count(best, epoch=epoch, profile=profile, subject=subject)


def _own_signature(it: Linked) -> bool:
    return it.block.key is not None and signed(it.block.key, it.block.body.data("sign"), it.id)


def vouched(it: Linked, profile: ChainProfile, others: Sequence[Linked]) -> bool:
    """Whether a block is signed by one of the chain's validators or lies on a row of blocks to a pinned one.

    Anybody can write a block that stands upon another; such a file says nothing about it and is not passed over.
    """
    keys = {v.key for e in profile.epochs for v in e.validators}
    key = it.block.key
    if key is not None and key.suite.signature == profile.signature and key.point in keys and _own_signature(it):
        return True
    return forward(it, {c.hash: c for c in profile.checkpoints}, others) is not None


@dataclass(frozen=True, slots=True)
class _Votes:
    """`signed`: each pinned identity once; `ignored`: entries that count for nobody; `supplied`: a quorum certificate of this block."""

    signed: tuple[Validator, ...]
    invalid: tuple[Validator, ...]
    ignored: int
    supplied: bool


def _votes(
    it: Linked, successor: Linked, pinned: Mapping[bytes | None, Validator], proposer: Validator
) -> _Votes:
    """Who of the pinned validators stands behind the block: its proposer, the voters that the next block names, and the proposer
    of that block, who gathered the votes and whose own is not among them ("+1" in the node's count)."""
    certificate = successor.block.body.message("Justify")
    if certificate is None or certificate.data("ProposalId") != it.id:
        return _Votes((proposer,), (), 0, False)
    counted: dict[bytes | None, Validator] = {proposer.key: proposer}
    invalid: dict[bytes | None, Validator] = {}
    seen: Counter[bytes | None] = Counter()
    ignored = 0
    for vote in votes(certificate)[:VOTES_MAX]:
        key = public_key(vote.text("PublicKey"))
        voter = pinned.get(key.point) if key else None
        if key is None or voter is None or not is_address_of(vote.text("Address"), key) or not _same_suite(key, it):
            ignored += 1
            continue
        seen[voter.key] += 1
        if seen[voter.key] > REPEATS_MAX:
            ignored += 1
        elif not signed(key, vote.data("Sign"), it.id):
            invalid[voter.key] = voter
        elif voter.key in counted:
            ignored += voter.key != proposer.key
        else:
            counted[voter.key] = voter
    collector = pinned.get(successor.block.key.point) if successor.block.key else None
    if collector is not None and successor.block.body.has("sign"):
        if _own_signature(successor):
            counted.setdefault(collector.key, collector)
        else:
            invalid[collector.key] = collector
    return _Votes(tuple(counted.values()), tuple(invalid.values()), ignored, True)


def _same_suite(key: PublicKey, it: Linked) -> bool:
    return it.block.key is not None and key.suite is it.block.key.suite


def _count(cast: _Votes, *, epoch: Epoch, profile: ChainProfile, subject: str) -> Quorum:
    total = sum(v.weight for v in epoch.validators)
    weight = sum(v.weight for v in cast.signed)
    need = required(total, profile=profile, epoch=epoch)
    label = f"{weight}/{total}"
    expected, actual = f"≥{need}/{total}", f"{label}: {_names(cast.signed)}"
    notes = (f"VOTES_NOT_COUNTED:{cast.ignored}",) if cast.ignored else ()
    if cast.invalid:
        finding = failed(
            NODE_QUORUM, Reason.SIG_CRYPTO_FAILURE, subject, expected=_names(cast.invalid), actual=actual, notes=notes
        )
        return Quorum(finding, label)
    if profile.consensus == "NONE":
        finding = indeterminate(NODE_QUORUM, Reason.FINALITY_INSUFFICIENT, subject, expected=expected, actual=actual)
        return Quorum(finding, label)
    if weight < need:
        # Without the next block nobody says how many voted; with it, the certificate is short.
        maker, reason = (failed, Reason.QUORUM_FAILURE) if cast.supplied else (indeterminate, Reason.PROOF_NOT_SUPPLIED)
        return Quorum(maker(NODE_QUORUM, reason, subject, expected=expected, actual=actual, notes=notes), label)
    if profile.consensus == "SINGLE":
        notes = (*notes, "SINGLE_SIGNER")
    return Quorum(
        passed(NODE_QUORUM, subject, expected=expected, actual=actual, notes=notes),
        label,
        frozenset(v.operator for v in cast.signed),
        all(v.role == "court" for v in cast.signed),
    )


def _names(validators: Sequence[Validator]) -> str:
    names = [v.node_name or v.org or v.operator for v in validators]
    return ", ".join(names[:NAMES_MAX]) + (f" +{len(names) - NAMES_MAX}" if len(names) > NAMES_MAX else "")
