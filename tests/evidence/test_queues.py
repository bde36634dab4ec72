"""What every queue of record rests on; each queue has its own tests beside it, with killed workers and lost leases."""

import threading
import time
from datetime import timedelta
from functools import partial

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from evidence.captures.models import FileReading
from evidence.captures.queue import READINGS
from evidence.queues import RINGS_MAX, Lost, heartbeat

pytestmark = pytest.mark.django_db(transaction=True)


def queued(number: int = 1) -> list[FileReading]:
    return [FileReading.objects.create(sha256=f"{n:064x}", reader="r") for n in range(number)]


def lapse() -> None:
    FileReading.objects.filter(state="running").update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_lease_outlives_a_moment_without_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """To see it fail: let the beat end with the first fault of the database; the second worker then does the same work again."""
    queued()
    row = READINGS.claim()
    assert row is not None
    lapse()
    faults = [OperationalError("the server is restarting"), OperationalError("and still is")]
    beats: list[int] = []

    def prolong() -> bool:
        beats.append(threading.get_ident())
        if faults:
            raise faults.pop()
        return READINGS.prolong(row)

    with heartbeat(prolong, seconds=0.01):
        end = time.monotonic() + 10
        while READINGS.waiting().exists() and time.monotonic() < end:
            time.sleep(0.01)
        assert READINGS.claim() is None, "it is held again"
    assert len(beats) >= 3 and threading.get_ident() not in beats
    said = len(beats)
    time.sleep(0.05)
    assert len(beats) == said, "no beat after the work"


def test_the_beat_ends_when_the_lease_is_lost_and_when_the_worker_hangs() -> None:
    beats: list[int] = []
    with heartbeat(lambda: bool(beats.append(1)), seconds=0.01):
        time.sleep(0.1)
    assert beats == [1]
    with heartbeat(lambda: not beats.append(1), seconds=0.01, seconds_max=0):
        time.sleep(0.1)
    assert len(beats) == 1


def test_a_claim_shows_the_row_as_it_is_taken(settings: Settings) -> None:
    queued(2)
    first, second = READINGS.claim(), READINGS.claim()
    assert first is not None and second is not None and READINGS.claim() is None
    assert (first.pk < second.pk, first.state, first.attempt) == (True, "running", 1)
    assert first.lease_until is not None and timedelta(0) < first.lease_until - timezone.now() <= timedelta(seconds=300)
    lapse()
    taken = READINGS.claim()
    assert taken is not None and (taken.pk, taken.attempt) == (first.pk, 2) and not READINGS.prolong(first)


def test_a_fault_is_kept_as_far_as_the_column_goes() -> None:
    """A NUL cannot be stored: before, it cost the worker its turn. To see it fail: store the text as it is."""
    queued()
    row = READINGS.claim()
    assert row is not None and READINGS.give_back(row, fault="a\0b" + "x" * 400)
    assert FileReading.objects.get().fault == "ab" + "x" * 197


def test_a_turn_ends_in_one_of_four_ways(settings: Settings) -> None:
    """Done, parked with the reason, given back, or lost; another's fault is no fault of the file."""
    settings.PORTAL_ATTEMPTS_MAX = 2
    queued(4)

    def raising(error: Exception, row: FileReading) -> str:
        raise error

    def done(row: FileReading) -> str:
        assert READINGS.finish(row, reading_sha256="a" * 64)
        return ""

    assert READINGS.work_once(done)
    assert READINGS.work_once(lambda row: "TIMEOUT: wall clock")
    assert READINGS.work_once(partial(raising, OSError("the disk is gone")))
    row = FileReading.objects.get(pk=FileReading.objects.order_by("pk")[2].pk)
    assert (row.state, row.fault) == ("queued", "OSError: the disk is gone")
    assert READINGS.work_once(partial(raising, OSError("the disk is gone")))
    assert READINGS.work_once(partial(raising, Lost()))
    assert not READINGS.work_once(done)
    READINGS.sweep()
    assert list(FileReading.objects.order_by("pk").values_list("state", "fault")) == [
        ("done", ""), ("parked", "TIMEOUT: wall clock"), ("parked", "OSError: the disk is gone"), ("running", "")
    ]  # fmt: skip
    lapse()
    assert READINGS.work_once(partial(raising, Lost())), "the third attempt does not come"
    lapse()
    READINGS.sweep()
    assert FileReading.objects.order_by("pk").last().fault == "CRASH"  # type: ignore[union-attr]


def test_many_workers_take_each_row_once() -> None:
    rows, taken = {r.pk for r in queued(24)}, list[int]()

    def work() -> None:
        try:
            while row := READINGS.claim():
                taken.append(row.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(rows)


def test_a_sweep_rings_for_what_waits_and_not_for_everything_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr("evidence.queues.ring", lambda task: bool(rung.append(task)))
    queued(3)
    READINGS.claim()
    READINGS.sweep()
    assert rung == [READINGS.task] * 2
    FileReading.objects.bulk_create(FileReading(sha256=f"{n:064x}", reader="s") for n in range(RINGS_MAX + 5))
    rung.clear()
    READINGS.sweep()
    assert len(rung) == RINGS_MAX
