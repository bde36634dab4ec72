"""Which files wait to be read, one row for each by its digest: a queue of record (`evidence.queues`).

    request   writes a row for each file of an exhibit in the caller's transaction; a file that was read before is not read again
    again     puts a parked file into the queue once more, beside the row that stands
    sweep     takes up files that nobody requested (of before this reader)
"""

from django.db import connection, transaction

from evidence.exhibits.models import Exhibit, ExhibitFile
from evidence.queues import Queue
from portal.ledger.entries import record
from portal.people.models import User

from .capture import READER
from .models import FileReading

READINGS = Queue(FileReading, seconds=300, task="evidence.captures.read.v1")
"""The lease is longer than a reading may take by the wall clock (`working.LIMITS`, twice); there is no heartbeat."""
TAKEN_UP_MAX = 200
"""Files of before this reader that one sweep takes up; the next goes on."""
TURNS_MAX = 5
"""Times that a file may be queued by one reader: each costs a worker up to two minutes."""


def request(exhibit: Exhibit) -> None:
    """Call it in the transaction that receives the exhibit."""
    digests = ExhibitFile.objects.filter(exhibit=exhibit).values_list("sha256", flat=True)
    FileReading.objects.bulk_create(
        [FileReading(sha256=d, reader=READER) for d in sorted(set(digests))], ignore_conflicts=True
    )
    transaction.on_commit(READINGS.ring)


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
            transaction.on_commit(READINGS.ring)
        return made


def sweep() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO captures_filereading (sha256, reader, state, attempt, fault, reading_sha256, captures)"
            " SELECT DISTINCT f.sha256, %(reader)s, 'queued', 0, '', '', 0 FROM exhibits_exhibitfile f"
            " WHERE NOT EXISTS (SELECT FROM captures_filereading r WHERE r.sha256 = f.sha256 AND r.reader = %(reader)s)"
            " LIMIT %(most)s ON CONFLICT DO NOTHING",
            {"reader": READER, "most": TAKEN_UP_MAX},
        )
    READINGS.sweep()
