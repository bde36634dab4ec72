"""The worker: one turn of work, and the worker inside the web process for the demonstration and small courts.

Kombu's in-memory transport loses its messages with the process; that is safe because the rows are the queues of record: the
sweep, started here beside the worker, rings for whatever still waits.
"""

import logging
import threading
from typing import Any

from django.conf import settings
from django.db import close_old_connections

from evidence.reports import bell as report_bell
from evidence.reports import issuing
from evidence.runs import queue, working
from portal.celery import app

log = logging.getLogger(__name__)

CONCURRENCY = 2
STOP_SECONDS_MAX = 30


def turn() -> bool:
    """Do one piece of work without a broker: a run, else a report. False when nothing waits."""
    if working.work_once():
        return True
    for report_id in issuing.waiting()[:1]:
        issuing.produce(report_id)
        return True
    return False


def sweep() -> None:
    """Park, and ring again for every run and report that waits."""
    queue.sweep()
    for report_id in issuing.waiting():
        report_bell.ring(report_id)


class EmbeddedWorker:
    """`start` returns at once; `stop` waits until the work in hand is finished."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._worker: Any = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        app.loader.import_default_modules()
        self._worker = app.WorkController(
            pool_cls="threads",
            concurrency=CONCURRENCY,
            loglevel="WARNING",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            task_events=False,
        )
        for target, name in ((self._worker.start, "celery-worker"), (self._keep_sweeping, "sweep")):
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        if self._worker is not None:
            self._worker.stop(in_sighandler=False)
        for thread in self._threads:
            thread.join(timeout=STOP_SECONDS_MAX)

    def _keep_sweeping(self) -> None:
        while True:
            try:
                close_old_connections()
                sweep()
            except Exception:  # the database may be restarting: say so and try again at the next turn
                log.exception("sweep failed")
            if self._stop.wait(settings.PORTAL_SWEEP_SECONDS):
                return
