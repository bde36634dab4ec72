"""Step C of a FISCO BCOS block: is it a block that the court has pinned, or do later headers lead to one? (spec §3.4)"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..reasons import Reason
from ..trust import ChainProfile
from ..verdict import Finding, failed, indeterminate, passed
from .ladder import ROOT, Checkpointed
from .sealers import SealedHeader

LINKS_MAX = 10_000
"""Successor headers that are followed to a checkpoint (spec §2 rule 6)."""

Header = TypeVar("Header", bound=SealedHeader)


@dataclass(frozen=True, slots=True)
class Anchored(Generic[Header]):
    """The finding, the checkpoint it rests on, and the successor headers that lead there."""

    finding: Finding
    checkpoint: Checkpointed | None = None
    links: tuple[Header, ...] = ()


def checkpoint(
    header: Header,
    digest: bytes,
    *,
    subject: str,
    hash_of: Callable[[Header], bytes],
    profile: ChainProfile | None,
    successors: Sequence[Header],
    others: Sequence[Header],
) -> Anchored[Header]:
    """EQUAL: the court has pinned this block. LINKED_BACK: later headers lead from it to a pinned one.

    hash_of      a header -> its hash, recomputed
    successors   headers of the exhibit that belong to no transaction: a link among them must hold
    others       headers of other transactions: they may link, and say nothing when they do not
    """
    pinned = profile.checkpoint_at(header.number) if profile else None
    if pinned and pinned.hash != digest:
        return Anchored(failed(ROOT, Reason.ANCHOR_MISMATCH, subject, expected=pinned.hash.hex(), actual=digest.hex()))
    if pinned:
        found = passed(ROOT, subject, expected=pinned.hash.hex(), actual=digest.hex(), notes=("CHECKPOINT_EQUAL",))
        return Anchored(found, Checkpointed(pinned.basis, pinned.recorded_at))
    current, current_digest = header, digest
    links: list[Header] = []
    while len(links) < LINKS_MAX:
        after = current.number + 1
        candidates = [h for h in (*successors, *others) if h.number == after]
        follower = next((h for h in candidates if h.parent == current_digest), None)
        if follower is None:
            broken = next((h for h in successors if h.number == after), None)
            if broken is not None:
                due = f"{after}: {broken.parent.hex()}"
                return Anchored(
                    failed(ROOT, Reason.PROOF_FAILURE, subject, expected=due, actual=current_digest.hex())
                )
            break
        current, current_digest = follower, hash_of(follower)
        links.append(follower)
        pinned = profile.checkpoint_at(after) if profile else None
        if (pinned and pinned.hash != current_digest) or (follower.hash and follower.hash != current_digest):
            reason = Reason.ANCHOR_MISMATCH if pinned else Reason.PROOF_FAILURE
            stated = pinned.hash if pinned else follower.hash or b""
            return Anchored(
                failed(ROOT, reason, subject, expected=f"{after}: {stated.hex()}", actual=current_digest.hex()),
                links=tuple(links),
            )
        if pinned:
            found = passed(
                ROOT,
                subject,
                expected=f"{after}: {pinned.hash.hex()}",
                actual=f"{after}: {current_digest.hex()}",
                notes=(f"CHECKPOINT_LINKED:{len(links)}",),
            )
            return Anchored(found, Checkpointed(pinned.basis, pinned.recorded_at), tuple(links))
    return Anchored(indeterminate(ROOT, Reason.ANCHOR_UNAVAILABLE, subject), links=tuple(links))
