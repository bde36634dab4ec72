"""Everything derived again from the entries, and compared with what is stored (rule R8 of reliability §7.5).

Finds any single changed bit in a leaf, a leaf hash, an index, a particular, a tile, the head, a signed note or the
checkpoint outside; rows that were removed, doubled or exchanged. It cannot find a history rewritten by somebody who
also holds the signing key and the outside file: only witnesses can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import checkpoints, tree
from .checkpoints import CheckpointError, PublicKey
from .entries import leaf_of
from .models import Checkpoint, Detail, Entry, Head, Tile

CHUNK = 2000  # rows fetched at a time


@dataclass(frozen=True)
class Fault:
    """`where` names the row ("entry 17", "tile 0/3", "head", "checkpoint 512", "file"); `what` says what is wrong."""

    where: str
    what: str


def fsck() -> list[Fault]:
    """All faults of the book, none when it is whole. Reads everything once; memory grows by 32 bytes an entry."""
    by = checkpoints.public_key() if Checkpoint.objects.exists() or checkpoints.newest_file().exists() else None
    tiles: dict[tree.Place, bytes] = {}
    hashes: list[bytes] = []
    faults = list(_entries(hashes))
    tree.extend(tiles, 0, hashes)
    faults += _tiles(tiles)
    faults += _head(tiles, len(hashes))
    faults += _checkpoints(tiles, len(hashes), by)
    return faults


def _entries(hashes: list[bytes]) -> Iterator[Fault]:
    """Check each entry and its detail; collect the leaf hashes of the sequenced ones, in order."""
    sequenced = Entry.objects.filter(leaf_index__isnull=False).order_by("leaf_index")
    waiting = Entry.objects.filter(leaf_index__isnull=True)
    for rows in (sequenced, waiting):
        for entry in rows.select_related("detail").iterator(chunk_size=CHUNK):
            found = tree.leaf_hash(bytes(entry.leaf))
            if found != bytes(entry.leaf_hash):
                yield Fault(f"entry {entry.pk}", "the leaf does not have the hash it was written with")
            yield from _detail(entry)
            if entry.leaf_index is not None:
                if entry.leaf_index != len(hashes):
                    yield Fault(f"entry {entry.pk}", f"has index {entry.leaf_index} where {len(hashes)} is due")
                hashes.append(found)


def _detail(entry: Entry) -> Iterator[Fault]:
    detail: Detail | None = getattr(entry, "detail", None)
    if detail is not None:
        if leaf_of(detail) != bytes(entry.leaf):
            yield Fault(f"entry {entry.pk}", "the particulars do not belong to the leaf")
        return
    # Particulars may be gone, but then an act says on what basis.
    erased = Detail.objects.filter(act="ledger.erase", params__contains=f'"entry":{entry.pk}}}')
    if not erased.exists():
        yield Fault(f"entry {entry.pk}", "the particulars are gone and no act of erasure names them")


def _tiles(expected: dict[tree.Place, bytes]) -> Iterator[Fault]:
    missing = set(expected)
    for tile in Tile.objects.order_by("level", "number").iterator(chunk_size=CHUNK):
        place = (tile.level, tile.number)
        missing.discard(place)
        if place not in expected:
            yield Fault(f"tile {tile.level}/{tile.number}", "is beyond the tree")
        elif bytes(tile.hashes) != expected[place]:
            yield Fault(f"tile {tile.level}/{tile.number}", "does not hold the hashes of the entries")
    for level, number in sorted(missing):
        yield Fault(f"tile {level}/{number}", "is missing")


def _head(tiles: dict[tree.Place, bytes], size: int) -> Iterator[Fault]:
    head = Head.objects.first()
    if head is None:
        if size:
            yield Fault("head", "is missing")
    elif head.size != size:
        yield Fault("head", f"says {head.size} entries, there are {size}")
    elif bytes(head.root) != tree.root(tree.nodes_of(tiles.__getitem__), size):
        yield Fault("head", "has another root than the entries")


def _checkpoints(tiles: dict[tree.Place, bytes], size: int, by: PublicKey | None) -> Iterator[Fault]:
    if by is None:
        return
    nodes = tree.nodes_of(tiles.__getitem__)
    newest = 0
    for row in Checkpoint.objects.order_by("size").iterator(chunk_size=CHUNK):
        newest = row.size
        where = f"checkpoint {row.size}"
        try:
            signed = checkpoints.read(row.note, by=by)
        except CheckpointError as fault:
            yield Fault(where, str(fault))
            continue
        if (signed.origin, signed.size, signed.root) != (by.name, row.size, bytes(row.root)):
            yield Fault(where, "the note says something else than the row")
        elif signed.size > size:
            yield Fault(where, f"was signed, but there are only {size} entries")
        elif tree.root(nodes, signed.size) != signed.root:
            yield Fault(where, "was signed over other entries")
    try:
        outside = checkpoints.newest_outside(by)
    except CheckpointError as fault:
        yield Fault("file", str(fault))
        return
    if outside is None:
        yield Fault("file", "the checkpoint outside the database is missing")
    elif outside.size < newest:
        yield Fault("file", f"ends at {outside.size}, the database was signed up to {newest}")
    elif outside.size > size or tree.root(nodes, outside.size) != outside.root:
        yield Fault("file", f"a head of {outside.size} entries was signed that the database does not continue")
