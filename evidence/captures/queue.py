"""Which files wait to be read: the row is the truth, the broker only a doorbell (as `evidence.runs.queue`).

    request   writes a row for each file of an exhibit in the caller's transaction; a file that was read before is not read again
    claim     one file for one worker: SKIP LOCKED, a lease by the database's clock, a new attempt number
    finish, park, give_back   fenced by the attempt number
    again    puts a parked file into the queue once more, beside the row that stands
    sweep     takes up files that nobody requested (of before this reader), parks what has failed too often, rings
"""

from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from evidence.exhibits.models import Exhibit, ExhibitFile
from portal.ledger.entries import record
from portal.people.models import User

from . import bell
from .capture import READER
from .models import FileReading

LEASE_SECONDS = 300
"""Longer than a reading may take by the wall clock (`working.LIMITS`, twice); there is no heartbeat."""
TAKEN_UP_MAX = 200
"""Files of before this reader that one sweep takes up; the next goes on."""
RINGS_MAX = 20
TURNS_MAX = 5
"""Times that a file may be queued by one reader: each costs a worker up to two minutes."""


@dataclass(frozen=True, slots=True)
class Claim:
    row: int
    attempt: int
    sha256: str


def request(exhibit: Exhibit) -> None:
    """Call it in the transaction that receives the exhibit."""
    digests = ExhibitFile.objects.filter(exhibit=exhibit).values_list("sha256", flat=True)
    FileReading.objects.bulk_create(
        [FileReading(sha256=d, reader=READER) for d in sorted(set(digests))], ignore_conflicts=True
    )
    transaction.on_commit(bell.ring)


def again(file: ExhibitFile, *, by: User) -> bool:
    """False: there is nothing to repeat, because the file waits, was read, or was tried as often as it may. Twice at once is once."""
    with transaction.atomic():
        newest = FileReading.objects.filter(sha256=file.sha256, reader=READER).order_by("-turn").first()
        if newest is None or newest.state != FileReading.State.PARKED or newest.turn >= TURNS_MAX:
            return False
        row, made = FileReading.objects.get_or_create(sha256=file.sha256, reader=READER, turn=newest.turn + 1)
        if made:
            exhibit = file.exhibit
            params = {"exhibit": str(exhibit.public_id), "position": file.position, "turn": row.turn}
            record("capture.again", actor=by, case=exhibit.case, subject_digest=file.sha256, params=params)
            transaction.on_commit(bell.ring)
        return made


def claim() -> Claim | None:
    """The next waiting file; None when there is nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE captures_filereading SET
                state = 'running', attempt = attempt + 1,
                lease_until = clock_timestamp() + %(lease)s * interval '1 second'
            WHERE id = (
                SELECT id FROM captures_filereading
                WHERE (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp())) AND attempt < %(cap)s
                ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1
            )
            RETURNING id, attempt, sha256
            """,
            {"lease": LEASE_SECONDS, "cap": settings.PORTAL_ATTEMPTS_MAX},
        )
        row = cursor.fetchone()
    return Claim(*row) if row else None


def finish(claim: Claim, *, reading_sha256: str, captures: int) -> bool:
    """False: the lease was lost, nothing was written."""
    return _mine(claim, state="done", reading_sha256=reading_sha256, captures=captures, finished_at=Now(), fault="")


def park(claim: Claim, *, fault: str) -> bool:
    """The reader was stopped on this file; it would be again."""
    return _mine(claim, state="parked", finished_at=Now(), fault=_said(fault))


def give_back(claim: Claim, *, fault: str) -> bool:
    """The work could not be done here, which is not the file's fault."""
    return _mine(claim, state="queued", fault=_said(fault))


def sweep() -> int:
    """How many bells were rung."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO captures_filereading (sha256, reader, state, attempt, fault, reading_sha256, captures)"
            " SELECT DISTINCT f.sha256, %(reader)s, 'queued', 0, '', '', 0 FROM exhibits_exhibitfile f"
            " WHERE NOT EXISTS (SELECT FROM captures_filereading r WHERE r.sha256 = f.sha256 AND r.reader = %(reader)s)"
            " LIMIT %(most)s ON CONFLICT DO NOTHING",
            {"reader": READER, "most": TAKEN_UP_MAX},
        )
        cursor.execute(
            "UPDATE captures_filereading SET state = 'parked', finished_at = clock_timestamp(), lease_until = NULL,"
            " fault = CASE WHEN fault = '' THEN 'CRASH' ELSE fault END"
            " WHERE attempt >= %s AND (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp()))",
            [settings.PORTAL_ATTEMPTS_MAX],
        )
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM captures_filereading WHERE state = 'queued'"
            " OR (state = 'running' AND lease_until < clock_timestamp()) LIMIT %s) waiting",
            [RINGS_MAX],
        )
        waiting = int(cursor.fetchone()[0])
    for _ in range(waiting):
        bell.ring()
    return waiting


def _mine(claim: Claim, **columns: object) -> bool:
    rows = FileReading.objects.filter(pk=claim.row, attempt=claim.attempt, state=FileReading.State.RUNNING)
    return bool(rows.update(lease_until=None, **columns))


def _said(fault: str) -> str:
    return fault[:200].replace("\0", "")
