"""The queue of record: one verdict per run, whatever dies, sleeps or rings twice (reliability §4, Q1–Q6)."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from evidence.runs import queue, tasks, working
from evidence.runs.jail import Limits
from evidence.runs.models import Lane, Run, RunVerdict
from evidence.verification import verify
from evidence.verification.exhibit import Exhibit as CoreExhibit
from evidence.verification.exhibit import Source
from evidence.verification.trust import TrustStore
from portal.celery import app
from portal.vault import Vault

from . import court

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def quiet_bell(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """No broker in these tests: every bell is written down and lost, the worst case the queue must live with."""
    rung: list[int] = []
    monkeypatch.setattr(queue, "ring", lambda task, pk: bool(rung.append(pk)))
    return rung


@pytest.fixture
def vault(settings: Settings, tmp_path: Path) -> Vault:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    return Vault(settings.PORTAL_VAULT_DIR)


def queued(vault: Vault, files: dict[str, bytes] | None = None, *, lane: Lane = Lane.STANDARD) -> Run:
    user = court.person(f"u{time.monotonic_ns()}")
    exhibit = court.exhibit(court.case(time.monotonic_ns() % 10**7), user, vault, files or {"a.bin": b"evidence"})
    with transaction.atomic():
        return queue.request(exhibit, by=user, lane=lane)


def document(run: Run) -> tuple[bytes, queue.VerdictColumns]:
    verdict = verify(CoreExhibit.of([Source.from_bytes("a.bin", b"evidence")]), TrustStore.empty(), timezone.now())
    return verdict.to_json(), queue.VerdictColumns.of(verdict)


def test_a_request_needs_the_transaction_that_makes_it_necessary(vault: Vault) -> None:
    run = queued(vault)
    with pytest.raises(RuntimeError):
        queue.request(run.exhibit, by=None)


def test_a_rolled_back_transaction_leaves_no_run_and_rings_no_bell(vault: Vault, quiet_bell: list[int]) -> None:
    exhibit = queued(vault).exhibit
    quiet_bell.clear()
    with transaction.atomic():
        queue.request(exhibit, by=None)
        transaction.set_rollback(True)
    assert Run.objects.count() == 1
    assert quiet_bell == []


def test_runs_of_one_exhibit_are_numbered_and_never_edited_into_each_other(vault: Vault) -> None:
    first = queued(vault)
    with transaction.atomic():
        second = queue.request(first.exhibit, by=None)
    assert (first.number, second.number) == (1, 2)


def test_a_broken_broker_costs_nothing_but_time(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(app, "send_task", lambda *a, **k: (_ for _ in ()).throw(OSError("broker down")))
    run = queued(vault)
    assert (run.state, run.rung_at) == (Run.State.QUEUED, None)


def test_interactive_goes_before_bulk_whatever_came_first(vault: Vault) -> None:
    bulk = queued(vault, lane=Lane.BULK)
    interactive = queued(vault, lane=Lane.INTERACTIVE)
    claims = [queue.claim(worker="w"), queue.claim(worker="w")]
    assert [c.pk for c in claims if c] == [interactive.pk, bulk.pk]
    assert queue.claim(worker="w") is None


def test_large_exhibits_take_the_bulk_lane_and_few_are_worked_on_at_once(vault: Vault, settings: Settings) -> None:
    settings.PORTAL_BULK_BYTES = 5
    large = [queued(vault, {"a.bin": b"123456"}) for _ in range(3)]
    assert {r.lane for r in large} == {Lane.BULK}
    assert queued(vault, {"a.bin": b"12345"}).lane == Lane.STANDARD
    with transaction.atomic():
        assert queue.request(large[0].exhibit, by=None, lane=Lane.REVERIFY).lane == Lane.REVERIFY_BULK
        assert queue.request(large[0].exhibit, by=None, lane=Lane.INTERACTIVE).lane == Lane.BULK
    claims = [queue.claim(worker="w"), queue.claim(worker="w"), queue.claim(worker="w")]
    lanes = [Run.objects.get(pk=c.pk).lane for c in claims if c]
    assert lanes == [Lane.STANDARD, Lane.BULK], "one small, one large, and the others wait for the large one"
    Run.objects.filter(lane=Lane.BULK).update(lease_until=timezone.now() - timedelta(seconds=1))
    again = queue.claim(worker="w")
    assert again is not None and again.attempt == 2, "the place of a worker that died is free"
    settings.PORTAL_BULK_AT_ONCE = 2
    assert queue.claim(worker="w") is not None


def test_each_task_takes_its_own_lanes_and_the_sweep_rings_the_bell_of_each(
    vault: Vault, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PORTAL_BULK_BYTES = 5
    large, small = queued(vault, {"a.bin": b"123456"}), queued(vault, {"a.bin": b"1"})
    rung: list[tuple[str, int]] = []
    monkeypatch.setattr(queue, "ring", lambda task, pk: bool(rung.append(({queue.TASK: "small", queue.BULK_TASK: "large"}[task], pk))))
    queue.sweep()
    assert sorted(rung) == [("large", large.pk), ("small", small.pk)]
    tasks.work_bulk(small.pk)
    assert [r.state for r in (refreshed(large), refreshed(small))] == ["done", "queued"]
    tasks.work(large.pk)
    assert refreshed(small).state == "done"
    tasks.work(large.pk)
    tasks.work_bulk(large.pk)
    assert RunVerdict.objects.count() == 2


def test_the_task_of_a_large_exhibit_outlives_the_jail_and_that_of_a_small_one_too(settings: Settings) -> None:
    """Otherwise Celery would kill the worker, five times over, and the run would be parked without a verdict."""
    limits = Limits(wall_seconds_max=settings.PORTAL_BULK_SECONDS)
    assert tasks.work_bulk.soft_time_limit > settings.PORTAL_BULK_SECONDS
    assert settings.CELERY_TASK_SOFT_TIME_LIMIT > limits.wall_factor * limits.cpu(settings.PORTAL_BULK_BYTES)
    assert settings.PORTAL_BULK_SECONDS > limits.wall_factor * limits.cpu(settings.PORTAL_UPLOAD_MAX)


def test_progress_is_written_by_the_holder_of_the_run_and_ends_with_its_attempt(vault: Vault) -> None:
    run = queued(vault)
    first = queue.claim(worker="killed")
    assert first is not None
    queue.tell(first, stage="digests", file="a.wacz", done=10, total=20)
    assert progress(run) == ("digests", "a.wacz", 10, 20)
    assert queue.RUNS.prolong(first) and progress(run) == ("digests", "a.wacz", 10, 20), "a heartbeat changes nothing of it"
    Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    second = queue.claim(worker="next")
    assert second is not None and progress(run) == ("copying", "", None, None)
    queue.tell(first, stage="records", file="a.wacz", done=20, total=20)
    assert progress(run) == ("copying", "", None, None), "a worker that lost its lease says nothing more"
    queue.tell(second, stage="records", file="a.wacz", done=1, total=20)
    queue.RUNS.give_back(second, fault="x")
    assert progress(run) == ("", "", None, None)
    third = queue.claim(worker="w")
    assert third is not None
    queue.tell(third, stage="records", file="a.wacz", done=1, total=20)
    document_, columns = document(run)
    assert queue.finish(third, document=document_, verdict=columns)
    assert progress(run) == ("", "", None, None)


def test_a_large_exhibit_is_followed_while_it_is_verified(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queued(vault, {"recording.mp4": os.urandom(12 << 20)})
    seen: list[tuple[str, str, int | None, int | None]] = []
    tell = queue.tell

    def watched(claim: queue.Claim, **told: object) -> None:
        tell(claim, **told)  # type: ignore[arg-type]
        seen.append(progress(run))

    monkeypatch.setattr(queue, "tell", watched)
    monkeypatch.setattr(working, "TOLD_SECONDS", 0)
    assert working.work_once(worker="w")
    assert [s[0] for s in seen][:2] == ["verifying", "digests"] and seen[-1][0] == "storing"
    read = [done for stage, file, done, total in seen if (stage, file, total) == ("digests", "recording.mp4", 12 << 20)]
    assert read == sorted(read, key=lambda n: n or 0) and (read[-1] or 0) >= 8 << 20
    assert RunVerdict.objects.filter(run=run).exists()


def test_that_progress_cannot_be_written_costs_nothing(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queued(vault, {"recording.mp4": os.urandom(12 << 20)})
    tell = queue.tell

    def failing(claim: queue.Claim, *, stage: str, **told: object) -> None:
        if told:
            raise DatabaseError("away")
        tell(claim, stage=stage)

    monkeypatch.setattr(queue, "tell", failing)
    assert working.work_once(worker="w")
    assert RunVerdict.objects.filter(run=run).exists()


def progress(run: Run) -> tuple[str, str, int | None, int | None]:
    now = refreshed(run)
    return now.stage, now.stage_file, now.bytes_done, now.bytes_total


def refreshed(run: Run) -> Run:
    return Run.objects.get(pk=run.pk)


def test_position_counts_what_goes_before(vault: Vault) -> None:
    bulk, standard = queued(vault, lane=Lane.BULK), queued(vault)
    assert (queue.position(standard), queue.position(bulk)) == (0, 1)


def test_many_workers_claim_each_run_once(vault: Vault) -> None:
    runs = {queued(vault).pk for _ in range(12)}
    claimed: list[int] = []

    def work() -> None:
        try:
            while claim := queue.claim(worker=threading.current_thread().name):
                claimed.append(claim.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(runs)


def test_a_held_lease_is_respected_and_a_lapsed_one_is_taken_over(vault: Vault) -> None:
    queued(vault)
    first = queue.claim(worker="one")
    assert first is not None
    assert queue.claim(worker="two") is None
    Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    second = queue.claim(worker="two")
    assert second is not None
    assert (second.pk, second.attempt) == (first.pk, 2)
    assert not queue.RUNS.prolong(first), "the first worker must learn that it lost the run"


def test_a_worker_that_lost_its_lease_writes_nothing(vault: Vault) -> None:
    run = queued(vault)
    first = queue.claim(worker="frozen")
    Run.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    second = queue.claim(worker="other")
    assert first is not None and second is not None
    doc, columns = document(run)
    assert queue.finish(second, document=doc, verdict=columns)
    assert not queue.finish(first, document=b"{}", verdict=columns)
    assert bytes(RunVerdict.objects.get(run=run).document) == doc


def test_finishing_twice_gives_one_verdict(vault: Vault) -> None:
    run = queued(vault)
    claim = queue.claim(worker="w")
    assert claim is not None
    doc, columns = document(run)
    assert queue.finish(claim, document=doc, verdict=columns)
    assert not queue.finish(claim, document=doc, verdict=columns)
    assert RunVerdict.objects.count() == 1


def test_a_run_that_keeps_failing_is_parked_and_the_others_go_on(vault: Vault, settings: Settings) -> None:
    settings.PORTAL_ATTEMPTS_MAX = 3
    poison = queued(vault)
    for _ in range(3):
        claim = queue.claim(worker="w")
        assert claim is not None
        queue.RUNS.give_back(claim, fault="vault gone")
    healthy = queued(vault)
    assert queue.sweep() == 1
    poison.refresh_from_db()
    assert (poison.state, poison.fault, poison.attempt) == (Run.State.PARKED, "vault gone", 3)
    claim = queue.claim(worker="w")
    assert claim is not None
    assert claim.pk == healthy.pk


def test_the_sweep_rings_for_whatever_waits(vault: Vault, quiet_bell: list[int]) -> None:
    waiting, held, lapsed = queued(vault), queued(vault), queued(vault)
    Run.objects.filter(pk=held.pk).update(
        state=Run.State.RUNNING, attempt=1, lease_until=timezone.now() + timedelta(minutes=1)
    )
    Run.objects.filter(pk=lapsed.pk).update(
        state=Run.State.RUNNING, attempt=1, lease_until=timezone.now() - timedelta(seconds=1)
    )
    quiet_bell.clear()
    queue.sweep()
    assert quiet_bell == [waiting.pk, lapsed.pk]


def test_work_verifies_in_the_jail_and_stores_the_engines_own_bytes(vault: Vault) -> None:
    run = queued(vault, {"a.bin": b"evidence", "b.bin": b"more"})
    assert working.work_once(worker="w")
    run.refresh_from_db()
    stored = RunVerdict.objects.get(run=run)
    assert run.state == Run.State.DONE
    with_door = verify(
        CoreExhibit.of([Source.from_bytes("b.bin", b"more"), Source.from_bytes("a.bin", b"evidence")]),
        TrustStore.load(working.settings.PORTAL_TRUST_DIR),
        stored.at,
    )
    assert bytes(stored.document) == with_door.to_json(), "worker and door must give identical bytes"
    assert not working.work_once(worker="w")


def test_evidence_missing_from_the_vault_is_tried_again_not_judged(vault: Vault) -> None:
    run = queued(vault)
    (vault.path(run.exhibit.files.get().sha256)).unlink()
    assert working.work_once(worker="w")
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED
    assert run.fault
    assert not RunVerdict.objects.exists()


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b"{}", b"not json", b'{"overall":"CONSISTENT"}', b'{"a":1,"a":2}'],
    ids=["nothing", "list", "empty", "text", "claim", "duplicate"],
)
def test_an_answer_that_is_no_verdict_of_these_files_is_not_believed(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    run = queued(vault)

    class Liar:
        def run(self, *args: object, **kwargs: object) -> working.JailResult:
            return working.JailResult(verdict_json=answer, killed=None, cpu_seconds=0, max_rss=0)

    monkeypatch.setattr(working, "_jail", Liar)
    assert working.work_once(worker="w")
    verdict = RunVerdict.objects.get(run=run)
    assert (verdict.overall, verdict.grade) == ("INDETERMINATE", "E")


def test_a_verdict_of_other_files_is_not_believed(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queued(vault)

    class Swapper:
        def run(self, files: object, *, trust_dir: Path, at: object, **_: object) -> working.JailResult:
            other = verify(
                CoreExhibit.of([Source.from_bytes("a.bin", b"other")]), TrustStore.load(trust_dir), at  # type: ignore[arg-type]
            )
            return working.JailResult(verdict_json=other.to_json(), killed=None, cpu_seconds=0, max_rss=0)

    monkeypatch.setattr(working, "_jail", Swapper)
    assert working.work_once(worker="w")
    assert b"INTERNAL_ERROR" in bytes(RunVerdict.objects.get(run=run).document)


@pytest.fixture
def workers(settings: Settings, vault: Vault) -> Iterator[list["subprocess.Popen[bytes]"]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def start_worker(settings: Settings) -> "subprocess.Popen[bytes]":
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    environment = {
        **os.environ,
        "PORTAL_DATABASE_URL": url,
        "PORTAL_VAULT_DIR": str(settings.PORTAL_VAULT_DIR),
        "PORTAL_DATA_DIR": str(settings.PORTAL_DATA_DIR),
        "PORTAL_TRUST_DIR": str(settings.PORTAL_TRUST_DIR),
        "PORTAL_LEASE_SECONDS": "2",
        "PORTAL_SWEEP_SECONDS": "1",
        "PORTAL_DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "run_jobs"], cwd=ROOT, env=environment, start_new_session=True
    )


def until(condition: "object", seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def test_a_killed_worker_delays_the_run_and_loses_nothing(
    vault: Vault, settings: Settings, workers: list["subprocess.Popen[bytes]"]
) -> None:
    """kill -9 of the worker in the middle of a verification; another worker finishes it, once."""
    big = b"0123456789abcdef" * (12 << 20)  # 192 MB: hashing takes long enough to be killed in the middle
    run = queued(vault, {"big.bin": big})
    workers.append(start_worker(settings))
    assert until(lambda: (Run.objects.get(pk=run.pk).bytes_done or 0) > 0, 30), "the first worker never began"
    os.killpg(workers[0].pid, signal.SIGKILL)
    killed = time.monotonic()
    run.refresh_from_db()
    assert (run.state, run.attempt) == (Run.State.RUNNING, 1), "killed too late to show anything"
    assert (run.stage, run.stage_file, run.bytes_total) == ("digests", "big.bin", len(big))
    workers.append(start_worker(settings))
    assert until(lambda: Run.objects.get(pk=run.pk).state == Run.State.DONE, 60)
    run.refresh_from_db()
    assert run.attempt == 2
    assert RunVerdict.objects.filter(run=run).count() == 1
    assert time.monotonic() - killed < 30, "G6: a run goes on within 30 s"
