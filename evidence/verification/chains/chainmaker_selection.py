"""ChainMaker 2.x: which transactions of an exhibit go up the ladder, and what was handed in about each.

A transaction matters when it was handed in by itself, when a Merkle path fits its place, when it carries the digest of a
content file, or when a certificate names it. When nothing points into a block, its first record speaks for it.
"""

from base64 import b64encode
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .. import digests, merkle
from ..codecs.protobuf import Message
from ..registry import Context
from .chainmaker_block import Examined
from .chainmaker_custody import is_configuration
from .chainmaker_hashing import Block
from .chainmaker_records import Record, is_update, places, records, succeeded, tx_id
from .chainmaker_transaction import Path, Subject, Transaction
from .location import locate

INCLUSIONS_MAX = 200
"""Transactions examined in one exhibit: four times as many as it may hold files. Each costs a signature or two."""

CHANGED_MAX = 50
"""Transactions of a block that does not give its root whose signature is asked, to name the one that was changed."""

Updates = Mapping[tuple[str, str, bytes], Sequence[tuple[int, int, str]]]
"""(chain id, contract, record id) -> (height, place, transaction id) of every update that took effect under the root of its
block. What merely says that it is an update takes nothing from a record."""


@dataclass(frozen=True, slots=True)
class Supplied:
    """What was handed in, in whatever files or packages.

    genesis   (chain id, hash of block 0) that somebody claims
    """

    blocks: tuple[Block, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    paths: tuple[Path, ...] = ()
    rw_sets: tuple[Message, ...] = ()
    certificates: tuple[bytes, ...] = ()
    genesis: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """too_many: how many transactions there were, 0 within bounds."""

    subjects: tuple[tuple[Subject, Examined | None], ...]
    stray_paths: tuple[Path, ...]
    stray_rw_sets: tuple[Message, ...]
    too_many: int


@dataclass(slots=True)
class _Candidate:
    """A transaction that matters. `place`: among the bodies of a full block."""

    block: Examined | None
    place: int | None
    info: Transaction | None
    paths: list[Path]

    @property
    def bodies(self) -> tuple[Message, ...]:
        return (self.block.block.txs or ()) if self.block else ()

    @property
    def body(self) -> Message | None:
        if self.info is not None:
            return self.info.body
        return self.bodies[self.place] if self.place is not None else None

    @property
    def index(self) -> int | None:
        """Its place in the block; by the block itself only when all bodies are there, else as the TransactionInfo says."""
        if self.block is None:
            return None
        if self.place is not None and len(self.bodies) == self.block.block.count:
            return self.place
        if self.info is not None and self.info.index is not None:
            return self.info.index
        return 0 if self.block.block.count == 1 else None


def blocks_to_examine(supplied: Supplied) -> list[Block]:
    """Blocks that hold something; a bare header that only links another block to a pinned one is not among them."""
    full = [b for b in supplied.blocks if b.txs is not None]
    homes = [_home(t, supplied.blocks) for t in supplied.transactions]
    chosen = [b for b in supplied.blocks if any(b is c for c in (*full, *homes))]
    # Headers alone: the lowest is the one the others lead back to.
    return chosen or sorted(supplied.blocks, key=lambda b: (b.height, b.name))[:1]


def select(supplied: Supplied, blocks: Sequence[Examined], context: Context) -> Selection:
    candidates = [*_handed_in(supplied, blocks)]
    claimed = {c.tx_id.lower().removeprefix("0x") for c in context.claims if c.tx_id}
    for block in blocks:
        for place in sorted(_hits(block, context) | _claimed(block, claimed)):
            _at(candidates, block, place)
    strays = [p for p in supplied.paths if not _give(p, candidates, blocks)]
    _add_representatives(candidates, blocks, supplied.blocks)
    unanswered = [c for c in candidates if c.block is not None and not c.paths]
    if unanswered:
        # A path that fits nothing was handed in for something: whatever has no path of its own must answer for it.
        for candidate in unanswered:
            candidate.paths.extend(strays)
        strays = []
    updates = _updates(blocks, candidates)
    order = {id(b): i for i, b in enumerate(blocks)}
    candidates.sort(key=lambda c: (order.get(id(c.block), len(order)), c.index is None, c.index or 0))
    subjects = tuple((_subject(c, supplied, updates, context), c.block) for c in candidates)
    used = {id(r) for s, _ in subjects for r in s.rw_sets}
    return Selection(
        subjects=subjects[:INCLUSIONS_MAX],
        stray_paths=tuple(strays),
        stray_rw_sets=tuple(r for r in supplied.rw_sets if id(r) not in used),
        too_many=len(subjects) if len(subjects) > INCLUSIONS_MAX else 0,
    )


# ── transactions that matter ──────────────────────────────────────────────────────────────────────────────────────────


def _home(transaction: Transaction, blocks: Sequence[Block]) -> Block | None:
    """The block a separately supplied transaction goes with: one that holds its id, else a header of its chain (or of its own
    package, whatever chain that names) and height."""
    for block in blocks:
        if any(tx_id(tx) == tx_id(transaction.body) for tx in block.txs or ()):
            return block
    payload = transaction.body.message("payload")
    chain_id = payload.text("chain_id") if payload else ""
    fitting = [
        b
        for b in blocks
        if b.txs is None
        and (b.chain_id == chain_id or b.name == transaction.name)
        and transaction.height in (None, b.height)
    ]
    # Of two accounts of one header the transaction's own package knows the better.
    return min(fitting, key=lambda b: (b.name != transaction.name, b.height, b.name), default=None)


def _handed_in(supplied: Supplied, blocks: Sequence[Examined]) -> Iterator[_Candidate]:
    for transaction in supplied.transactions:
        home = _home(transaction, supplied.blocks)
        block = next((b for b in blocks if b.block is home), None)
        bodies = (home.txs or ()) if home else ()
        place = next((i for i, tx in enumerate(bodies) if tx_id(tx) == tx_id(transaction.body)), None)
        yield _Candidate(block, place, transaction, [])


def _at(candidates: list[_Candidate], block: Examined, place: int) -> _Candidate:
    """The candidate at a place of a full block, made when it is not there yet."""
    for candidate in candidates:
        if candidate.block is block and candidate.place == place:
            return candidate
    candidates.append(_Candidate(block, place, None, []))
    return candidates[-1]


def _hits(block: Examined, context: Context) -> set[int]:
    """Places of transactions that carry the digest of a content file: bytes are searched first, then compared as a whole."""
    bodies = block.block.txs or ()
    if not bodies or not context.content:
        return set()
    starts: list[int] = []
    buffer = bytearray()
    for tx in bodies:
        starts.append(len(buffer))
        buffer += tx.raw
    raw = bytes(buffer)
    lowered = raw.lower()
    found: set[int] = set()
    for source in context.content:
        for alg in digests.STRONG:
            value = source.digest(alg)
            forms = ((raw, value), (lowered, value.hex().encode()), (raw, b64encode(value)))
            for haystack, needle in forms:
                at = haystack.find(needle)
                while at >= 0 and len(found) <= INCLUSIONS_MAX:
                    found.add(bisect_right(starts, at) - 1)
                    at = haystack.find(needle, at + 1)
    height = block.block.height
    return {i for i in found if locate(context.content, places(bodies[i]), block.profile, height).hits}


def _claimed(block: Examined, claimed: set[str]) -> set[int]:
    """Places of transactions that a certificate names."""
    bodies = block.block.txs or () if claimed else ()
    return {i for i, tx in enumerate(bodies) if tx_id(tx).lower().removeprefix("0x") in claimed}


def _add_representatives(
    candidates: list[_Candidate], blocks: Sequence[Examined], all_blocks: Sequence[Block]
) -> None:
    """Nothing points into a block: its first record at a place the court has mapped, else its first transaction."""
    for block in blocks:
        idle = all(c.block is not block for c in candidates)
        if idle and not (candidates and _is_link(block.block, all_blocks)):
            candidates.append(_Candidate(block, _representative(block), None, []))


def _representative(block: Examined) -> int | None:
    bodies = block.block.txs or ()
    if block.cut is not None:
        # What was meant may be what was cut out: the other records then contradict nothing.
        return block.cut
    if len(bodies) < block.block.count:
        return None
    if not block.tree_holds:
        # Where something was changed, the record that its sender has not signed speaks for the block.
        for i, tx in enumerate(bodies[:CHANGED_MAX]):
            if block.sender_contradicts(tx):
                return i
    for i, tx in enumerate(bodies):
        if locate((), places(tx), block.profile, block.block.height).mapped:
            return i
    return 0 if bodies else None


def _is_link(block: Block, blocks: Sequence[Block]) -> bool:
    """Whether it is the first block, or its parent is in the exhibit, or a block that it configured: then it may stand there
    only to tell the chain or to lead back to a pinned block."""
    parent = any(b.chain_id == block.chain_id and b.height + 1 == block.height for b in blocks)
    return block.height == 0 or parent or configures(block, blocks)


def configures(block: Block, blocks: Sequence[Block]) -> bool:
    """Whether another block names this one as the configuration in force (`pre_conf_height`). Only a block that holds a
    configuration can be meant."""
    return is_configuration(block) and any(
        b.chain_id == block.chain_id
        and b.height > block.height
        and b.header.number("pre_conf_height") == block.height
        for b in blocks
    )


# ── paths ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _give(path: Path, candidates: list[_Candidate], blocks: Sequence[Examined]) -> bool:
    """A path goes to the transaction it was handed in for, else to the one it fits. False when it fits none."""
    if path.about is not None:
        next(c for c in candidates if c.info is path.about).paths.append(path)
        return True
    for block in blocks:
        place = _fitting(block, path)
        if place is not None:
            _at(candidates, block, place).paths.append(path)
            return True
    for candidate in candidates:
        if candidate.place is None and _reaches(candidate, path):
            candidate.paths.append(path)
            return True
    return False


def _fitting(block: Examined, path: Path) -> int | None:
    """The place whose siblings in the recomputed tree are exactly this path."""
    levels = block.levels if block.tree_holds and block.block.txs else None
    if levels is None or len(path.siblings) != len(levels) - 1:
        return None
    if not path.siblings:
        return 0
    siblings = [i for i, leaf in enumerate(levels[0]) if leaf == path.siblings[0]]
    near = sorted({j for i in siblings for j in (i ^ 1, i) if j < len(levels[0])})
    return next((i for i in near if merkle.repeating_path(levels, i) == path.siblings), None)


def _reaches(candidate: _Candidate, path: Path) -> bool:
    block, index, body = candidate.block, candidate.index, candidate.body
    leaf = block.leaf(body) if block is not None and body is not None else None
    if block is None or leaf is None or index is None:
        return False
    try:
        root = merkle.repeating_root(
            leaf, path.siblings, index=index, count=block.block.count, algorithm=block.suite.hash
        )
    except merkle.PathError:
        return False
    return root == block.block.header.data("tx_root")


# ── what belongs to one transaction ───────────────────────────────────────────────────────────────────────────────────


def _subject(candidate: _Candidate, supplied: Supplied, updates: Updates, context: Context) -> Subject:
    block, info, body = candidate.block, candidate.info, candidate.body
    name = info.name if info else block.block.name if block else "–"
    return Subject(
        name=name,
        body=body,
        index=candidate.index,
        info=info,
        in_block=candidate.bodies[candidate.place] if candidate.place is not None else None,
        paths=tuple(candidate.paths),
        rw_sets=tuple(r for r in supplied.rw_sets if body is not None and r.text("tx_id") == tx_id(body)),
        superseded_by=_superseded(candidate, updates, context),
    )


def _updates(blocks: Sequence[Examined], candidates: Sequence[_Candidate]) -> Updates:
    found: dict[tuple[str, str, bytes], list[tuple[int, int, str]]] = {}

    def note(block: Examined, index: int, body: Message) -> None:
        for record in records(body) if is_update(body) and succeeded(body) else ():
            key = (block.block.chain_id, record.contract, record.id)
            found.setdefault(key, []).append((block.block.height, index, tx_id(body)))

    for block in blocks:
        for i, tx in enumerate((block.block.txs or ()) if block.tree_holds else ()):
            note(block, i, tx)
    for c in candidates:
        if c.place is None and c.block and c.body and c.index is not None and any(_reaches(c, p) for p in c.paths):
            note(c.block, c.index, c.body)
    return found


def _superseded(candidate: _Candidate, updates: Updates, context: Context) -> str | None:
    """The transaction that later updated the same record, among those handed in."""
    block, body = candidate.block, candidate.body
    if block is None or body is None or not updates:
        return None
    here = (block.block.height, candidate.index or 0)
    later = [
        u
        for record in _concerning(records(body), context)
        for u in updates.get((block.block.chain_id, record.contract, record.id), ())
        if u[:2] > here
    ]
    return min(later)[2] if later else None


def _concerning(written: Sequence[Record], context: Context) -> Sequence[Record]:
    """Of the records of a batch those that hold the digest of a file of this exhibit; all of them where none does."""
    if len(written) < 2:
        return written
    values = [s.digest(alg) for s in context.content for alg in digests.STRONG]
    sought = {form for v in values for form in (v, v.hex().encode(), b64encode(v))}
    return [r for r in written if any(v in sought or v.lower() in sought for v in r.values)] or written
