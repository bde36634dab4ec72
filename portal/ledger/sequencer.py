"""From acts to a signed tree: give entries their index, grow the tiles, move the head, read back, sign.

    turn()         what a scheduler calls every second or so: a heartbeat when due, then everything that waits
    sequence()     steps 1 to 6 in one transaction under the head's row lock, then `sign_head`
    sign_head()    steps 7 to 9; also finishes what a crash left unsigned

A crash anywhere leaves either nothing or a committed, not yet signed head; the next call goes on from there. Several
sequencers may run at once: they take turns at the lock.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import DateTimeField, Func

from . import checkpoints, tree
from .checkpoints import CheckpointError, Signed
from .entries import record
from .models import Checkpoint, Detail, Entry, Head, Tile

HEARTBEAT = timedelta(minutes=10)  # so that silence, and the loss of the newest entries, shows
BATCH_MAX = 5000  # entries per transaction: some 50 ms of lock, far above what a court writes in a second


class ClockTimestamp(Func):
    """The database's clock, now."""

    function = "clock_timestamp"
    output_field = DateTimeField()


class LedgerDamaged(Exception):
    """What is stored contradicts itself. Nothing is signed until a person has looked (`fsck`)."""


def turn() -> int:
    """Bring everything that waits under a signed head; returns how many entries. Writes a heartbeat when due."""
    with transaction.atomic():
        if not Detail.objects.filter(at__gt=ClockTimestamp() - HEARTBEAT).exists():
            record("ledger.heartbeat", actor=None)
    done = 0
    while taken := sequence():
        done += taken
        if taken < BATCH_MAX:
            break
    return done


def sequence(limit: int = BATCH_MAX) -> int:
    """Bring up to `limit` waiting entries into the tree and sign the new head. Returns how many."""
    done = _integrate(limit)
    sign_head()
    return done


def _integrate(limit: int) -> int:
    with transaction.atomic():
        with connection.cursor() as cursor:
            # A published head must survive a crash of the server, whatever the server's default is.
            cursor.execute("SET LOCAL synchronous_commit TO on")
        head = _locked_head()
        # 1. Rows without an index; never "after the last id": serial ids become visible out of order.
        rows = list(Entry.objects.filter(leaf_index__isnull=True).order_by("id")[:limit])
        if not rows:
            return 0
        # 2. Hash again what the database gives us now: what will be signed is what can be read.
        hashes = [_checked(row) for row in rows]
        # 3. Append to the tiles.
        tiles = {place: _tile(place) for place in tree.edge(head.size)}
        for place in tree.extend(tiles, head.size, hashes):
            Tile.objects.update_or_create(level=place[0], number=place[1], defaults={"hashes": tiles[place]})
        # 4. Contiguous indexes.
        size = head.size + len(rows)
        _set_indexes([row.pk for row in rows], first=head.size)
        # 5. Move the head, if it still is where it was.
        root = tree.root(tree.nodes_of(lambda place: tiles.get(place) or _tile(place)), size)
        moved = Head.objects.filter(size=head.size, root=bytes(head.root)).update(size=size, root=root)
        if moved != 1:
            raise LedgerDamaged(f"the head moved away from {head.size} under its lock")
    # 6. Committed.
    return len(rows)


def _locked_head() -> Head:
    head = Head.objects.select_for_update().first()
    if head is None:
        # The first entry ever. The insert waits for anybody else making the same row.
        Head.objects.bulk_create([Head(id=1, size=0, root=tree.EMPTY_ROOT)], ignore_conflicts=True)
        head = Head.objects.select_for_update().get()
        begun = Entry.objects.filter(leaf_index__isnull=False)
        if not head.size and (Tile.objects.exists() or Checkpoint.objects.exists() or begun.exists()):
            raise LedgerDamaged("the head is missing although the tree has been begun")
    return head


def _checked(entry: Entry) -> bytes:
    found = tree.leaf_hash(bytes(entry.leaf))
    if found != bytes(entry.leaf_hash):
        raise LedgerDamaged(f"entry {entry.pk}: its leaf no longer has the hash it was written with")
    return found


def _tile(place: tree.Place) -> bytes:
    rows = Tile.objects.filter(level=place[0], number=place[1]).values_list("hashes", flat=True)
    return next((bytes(row) for row in rows), b"")


def _set_indexes(ids: list[int], *, first: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_entry SET leaf_index = %s + given.place - 1"
            " FROM unnest(%s::bigint[]) WITH ORDINALITY AS given (id, place)"
            " WHERE ledger_entry.id = given.id AND leaf_index IS NULL",
            [first, ids],
        )
        if cursor.rowcount != len(ids):
            raise LedgerDamaged(f"{len(ids)} entries were waiting, {cursor.rowcount} took an index")


def sign_head() -> Checkpoint | None:
    """Sign the committed head, if it is new. None when there is nothing to sign.

    CheckpointError when the database does not continue the history that was signed before: restored from a backup
    or rewritten. It then stays unsigned until the court decides (spec reliability §7.5 R2).
    """
    if connection.in_atomic_block:
        raise LedgerDamaged("a head is signed only after its transaction was committed")
    head = Head.objects.first()
    if head is None or not head.size or Checkpoint.objects.filter(size=head.size, root=bytes(head.root)).exists():
        return None
    size, root = head.size, bytes(head.root)
    with checkpoints.signing():
        by = checkpoints.public_key()
        before = checkpoints.newest_outside(by)
        if before is not None and before.size > size:
            # Another sequencer signed a longer tree while we waited, or the database went back in time.
            if Head.objects.filter(size__gte=before.size).exists():
                return None
            raise CheckpointError(f"a head of {before.size} entries was signed before; the database has only {size}")
        # 7. Read back.
        _read_back(before, size=size, root=root)
        # 8. Sign. The file first: should we die in between, the database must not know more than the file.
        note = checkpoints.sign(checkpoints.body(by.name, size, root), name=by.name, key=checkpoints.key())
        checkpoints.keep_outside(note)
        # 9. Publish.
        made, _ = Checkpoint.objects.get_or_create(size=size, defaults={"root": root, "note": note})
        if bytes(made.root) != root:
            raise LedgerDamaged(f"two roots at size {size}")
        return made


def _read_back(before: Signed | None, *, size: int, root: bytes) -> None:
    """What was committed, read again: the root from the tiles, the new leaves from the entries, the old head inside."""
    nodes = checkpoints.stored_nodes()
    if tree.root(nodes, size) != root:
        raise LedgerDamaged(f"the tiles do not give the root of the head at {size}")
    first = before.size if before else 0
    if before and before.origin != checkpoints.origin():
        raise CheckpointError(f"the newest checkpoint is of {before.origin}, not of {checkpoints.origin()}")
    if before and tree.root(nodes, before.size) != before.root:
        raise CheckpointError(f"the tree does not continue the head of {before.size} entries that was signed before")
    expected = first
    rows = Entry.objects.filter(leaf_index__gte=first, leaf_index__lt=size).order_by("leaf_index")
    for entry in rows.iterator(chunk_size=2000):
        if entry.leaf_index != expected or nodes(0, expected) != _checked(entry):
            raise LedgerDamaged(f"entry {entry.pk} is not what the tree has at {expected}")
        expected += 1
    if expected != size:
        raise LedgerDamaged(f"the tree has {size} entries, the book {expected}")
