"""Hyperledger Fabric, rung C: is the block one that the court has pinned, or do later blocks lead from it to one? (spec §3.4)

Each block names the hash of the one before. Where the one before was handed in as well, that must be its hash.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..reasons import Reason
from ..trust import ChainProfile
from ..verdict import Finding, failed, indeterminate, passed
from .fabric_block import BLOCKS_MAX, Block
from .ladder import ROOT, Checkpointed


@dataclass(frozen=True, slots=True)
class Anchored:
    """Rung C, and the checkpoint it rests on."""

    finding: Finding
    checkpoint: Checkpointed | None = None


class Rows:
    """All blocks and headers handed in, by what links them."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._after: dict[bytes, list[Block]] = {}
        self._at: dict[int, list[Block]] = {}
        self._proven: dict[str, dict[bytes, tuple[int, Block]]] = {}
        for block in blocks:
            self._after.setdefault(block.previous_hash, []).append(block)
            self._at.setdefault(block.number, []).append(block)

    def broken(self, block: Block, profile: ChainProfile | None) -> Block | None:
        """A block that should be the one before and is not, while none that was handed in is; None when nothing breaks.

        Should be: of the same file or package, or pinned by the court. Channels of one name are many: that another file holds
        another one's block contradicts nothing.
        """
        if block.number == 0:
            return None
        known = self.proven(profile) if profile else {}
        before = [
            b
            for b in self._at.get(block.number - 1, ())
            if b.origin == block.origin
            or b.hash in known
            or (b.number == 0 and profile is not None and b.hash == profile.genesis_hash)
        ]
        if not before or any(b.hash == block.previous_hash for b in before):
            return None
        return before[0]

    def proven(self, profile: ChainProfile) -> Mapping[bytes, tuple[int, Block]]:
        """Hashes of the blocks that the court's checkpoints prove -> (links in between, the pinned block).

        Walked from the pinned blocks backwards: what comes before a block is one thing only, what comes after may be forged.
        """
        if profile.id not in self._proven:
            found: dict[bytes, tuple[int, Block]] = {}
            for pin in sorted(profile.checkpoints, key=lambda c: c.height):
                for start in self._at.get(pin.height, ()):
                    current: Block | None = start if start.hash == pin.hash else None
                    count = 0
                    while current is not None and (current.hash not in found or found[current.hash][0] > count):
                        found[current.hash] = (count, start)
                        before, previous = self._at.get(current.number - 1, ()), current.previous_hash
                        current = next((b for b in before if b.hash == previous), None)
                        count += 1
            self._proven[profile.id] = found
        return self._proven[profile.id]

    def contradicted(self, block: Block, profile: ChainProfile) -> Block | None:
        """The block from this one onwards that stands at a pinned height and is not the pinned one."""
        current: Block | None = block
        for _ in range(BLOCKS_MAX):
            if current is None:
                return None
            pin = profile.checkpoint_at(current.number)
            if pin is not None:
                return None if pin.hash == current.hash else current
            after = (b for b in self._after.get(current.hash, ()) if current and b.number == current.number + 1)
            current = next(after, None)
        return None


def checkpoint(block: Block, rows: Rows, *, subject: str, profile: ChainProfile | None) -> Anchored:
    """EQUAL: the court has pinned this block. LINKED_BACK: later blocks lead from it to a pinned one."""
    wrong = rows.broken(block, profile)
    if wrong is not None:
        expected, actual = f"{wrong.number}: {block.previous_hash.hex()}", f"{wrong.number}: {wrong.hash.hex()}"
        return Anchored(failed(ROOT, Reason.PROOF_FAILURE, subject, expected=expected, actual=actual))
    unavailable = Anchored(indeterminate(ROOT, Reason.ANCHOR_UNAVAILABLE, subject))
    if profile is None:
        return unavailable
    count, pinned = rows.proven(profile).get(block.hash, (0, None))
    pinned = pinned or rows.contradicted(block, profile)
    pin = profile.checkpoint_at(pinned.number) if pinned else None
    if pinned is None or pin is None:
        return unavailable
    expected, actual = f"{pin.height}: {pin.hash.hex()}", f"{pinned.number}: {pinned.hash.hex()}"
    if pin.hash != pinned.hash:
        return Anchored(failed(ROOT, Reason.ANCHOR_MISMATCH, subject, expected=expected, actual=actual))
    note = f"CHECKPOINT_LINKED:{count}" if count else "CHECKPOINT_EQUAL"
    return Anchored(
        passed(ROOT, subject, expected=expected, actual=actual, notes=(note,)),
        Checkpointed(pin.basis, pin.recorded_at),
    )
