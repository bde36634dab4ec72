"""Step C of a XuperChain block: is it a block that the court has pinned, or do later blocks lead to one? (spec §3.4)

Blocks are joined by the id that each states of the one before, and every id is recomputed. Since no block's height is under its id,
links to a pinned block are also the only thing that proves a height, and the chain that the block belongs to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..reasons import Reason
from ..trust import ChainProfile, Checkpoint
from ..verdict import Finding, failed, indeterminate, passed
from .ladder import ROOT, Checkpointed
from .xuperchain_tree import Linked

LINKS_MAX = 10_000
"""Blocks that are followed to a checkpoint (spec §2 rule 6)."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """Step C: the finding, the checkpoint it rests on, and the height, where links to a pinned block prove one."""

    finding: Finding
    checkpoint: Checkpointed | None = None
    height: int | None = None


def checkpoint(
    it: Linked, *, subject: str, profile: ChainProfile | None, others: Sequence[Linked], chained: Sequence[Linked]
) -> Anchored:
    """EQUAL: the court has pinned this block. LINKED_BACK: later blocks lead from it to a pinned one.

    others    all blocks of the exhibit that may belong to this chain
    chained   those that were handed in as links of this block: each must hold and hang together with it
    """
    claimed = it.block.body.number("height")
    pins = {c.hash: c for c in profile.checkpoints} if profile else {}
    broken = _broken(it, others, chained)
    if broken is not None:
        return Anchored(failed(ROOT, Reason.PROOF_FAILURE, subject, expected=broken[0], actual=broken[1]))
    found = forward(it, pins, others)
    height = found[1] if found else _height_behind(it, profile, pins, others)
    pinned_there = profile.checkpoint_at(claimed) if profile else None
    if (height is not None and height != claimed) or (height is None and pinned_there is not None):
        # The height is only said, but what is said contradicts what the court has pinned.
        due = str(height) if height is not None else pinned_there.hash.hex() if pinned_there else ""
        actual = str(claimed) if height is not None else f"{claimed}: {it.id.hex()}"
        return Anchored(failed(ROOT, Reason.ANCHOR_MISMATCH, subject, expected=due, actual=actual))
    if found is None:
        return Anchored(indeterminate(ROOT, Reason.ANCHOR_UNAVAILABLE, subject), height=height)
    pin, _, steps = found
    notes = (f"CHECKPOINT_LINKED:{steps}",) if steps else ("CHECKPOINT_EQUAL",)
    shown = f"{pin.height}: {pin.hash.hex()}"
    return Anchored(
        passed(ROOT, subject, expected=shown, actual=shown, notes=notes), Checkpointed(pin.basis, pin.recorded_at), height
    )


def _broken(it: Linked, others: Sequence[Linked], chained: Sequence[Linked]) -> tuple[str, str] | None:
    """The first supplied link that is not what it says, or that leads nowhere: (due, found)."""
    for link in chained:
        if not consistent(link) and not link.block.lossy:
            return link.block.body.data("blockid").hex(), link.id.hex()
        if link.inner_fault is not None:
            return link.root.hex(), link.inner_fault
    usable = [c for c in chained if consistent(c) and c.id != it.id]
    loose = strays(usable, [it, *(o for o in others if o not in chained)])
    return (it.id.hex(), loose[0].block.pre_hash.hex()) if loose else None


def consistent(link: Linked) -> bool:
    """Whether the block has the id that it states, if it states one."""
    return link.block.body.data("blockid") in (b"", link.id)


def strays(blocks: Sequence[Linked], used: Sequence[Linked]) -> list[Linked]:
    """Blocks that no row of blocks joins to one that is used, before or behind it; in the order given."""
    by_id: dict[bytes, list[Linked]] = {}
    by_parent: dict[bytes, list[Linked]] = {}
    for block in blocks:
        by_id.setdefault(block.id, []).append(block)
        by_parent.setdefault(block.block.pre_hash, []).append(block)
    waiting, joined = list(used), set[int]()
    while waiting:
        here = waiting.pop()
        for block in (*by_parent.get(here.id, ()), *by_id.get(here.block.pre_hash, ())):
            if id(block) not in joined:
                joined.add(id(block))
                waiting.append(block)
    return [b for b in blocks if id(b) not in joined]


def forward(
    it: Linked, pins: Mapping[bytes, Checkpoint], others: Sequence[Linked]
) -> tuple[Checkpoint, int, int] | None:
    """(checkpoint, height of the block, links in between) of the nearest pinned block that is this one or stands upon it."""
    children: dict[bytes, list[Linked]] = {}
    for other in others:
        children.setdefault(other.block.pre_hash, []).append(other)
    level, seen, steps = [it.id], {it.id}, 0
    while level and len(seen) <= LINKS_MAX:
        for digest in level:
            pin = pins.get(digest)
            if pin is not None and pin.height >= steps:
                return pin, pin.height - steps, steps
        following = [child.id for digest in level for child in children.get(digest, ())]
        level = [d for d in dict.fromkeys(following) if d not in seen]
        seen.update(level)
        steps += 1
    return None


def _height_behind(
    it: Linked, profile: ChainProfile | None, pins: Mapping[bytes, Checkpoint], others: Sequence[Linked]
) -> int | None:
    """The height counted from a pinned block below. It proves where the block stands, not that the chain has it: anybody can
    put a block upon a pinned one."""
    known = {digest: pin.height for digest, pin in pins.items()}
    if profile and profile.genesis_hash:
        known[profile.genesis_hash] = 0
    by_id = {o.id: o for o in others}
    current, steps = it, 0
    while steps < LINKS_MAX:
        below = known.get(current.block.pre_hash)
        steps += 1
        if below is not None:
            return below + steps
        following = by_id.get(current.block.pre_hash)
        if following is None:
            return None
        current = following
    return None
