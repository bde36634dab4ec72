"""The worker inside the web process, for the demonstration and small courts.

Kombu's in-memory transport loses its messages with the process; that is safe because the row is the queue of record: the
sweep, started here beside the worker, rings for whatever still waits.
"""

import logging
import threading

from django.conf import settings
from django.db import close_old_connections

from portal.celery import app

from . import queue

log = logging.getLogger(__name__)

CONCURRENCY = 2


class EmbeddedWorker:
    """`start` returns at once; `stop` waits until the run in hand is finished."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._worker: object | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        from . import tasks  # noqa: F401  registers the tasks before the worker looks for them

        self._worker = app.WorkController(
            pool_cls="threads", concurrency=CONCURRENCY, loglevel="WARNING", without_gossip=True, without_mingle=True,
            without_heartbeat=True, task_events=False,
        )
        for target, name in ((self._worker.start, "celery-worker"), (self._sweep, "sweep")):  # type: ignore[attr-defined]
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        if self._worker is not None:
            self._worker.stop(in_sighandler=False)  # type: ignore[attr-defined]
        for thread in self._threads:
            thread.join(timeout=30)

    def _sweep(self) -> None:
        while True:
            try:
                close_old_connections()
                queue.sweep()
            except Exception:  # the database may be restarting: say so and try again at the next turn
                log.exception("sweep failed")
            if self._stop.wait(settings.PORTAL_SWEEP_SECONDS):
                return
