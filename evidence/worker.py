"""The worker: one turn of work, and the worker inside the web process for the demonstration and small courts.

Five threads beside the web server: Celery's worker, the sweep, the ledger's sequencer (one host only), the renderer, which
does nothing where there is no Chromium, and the signer; apart, so that no verification waits for a picture, a key or an authority.

Kombu's in-memory transport loses its messages with the process; that is safe because the rows are the queues of record: the
sweep, started here beside the worker, rings for whatever still waits.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection

from evidence.captures import queue as readings
from evidence.captures import working as reading
from evidence.captures.comparison import working as comparing
from evidence.captures.comparison.queue import COMPARISONS
from evidence.captures.rendering import working as rendering
from evidence.connectors import inquiries
from evidence.exports import queue as exports
from evidence.exports import working as exporting
from evidence.reports import bell as report_bell
from evidence.reports import issuing, upkeep
from evidence.reports.models import Report
from evidence.runs import queue, working
from portal.celery import app
from portal.ledger import sequencer

log = logging.getLogger(__name__)

CONCURRENCY = 2
LEDGER_SECONDS = 1
RENDER_SECONDS = 2
SIGN_SECONDS = 1
STOP_SECONDS_MAX = 30


def turn() -> bool:
    """Do one piece of work without a broker: a run, else a question to a node, a draft of a report, a comparison, a file to be read, an export. False when nothing waits."""
    if working.work_once() or inquiries.work_once():
        return True
    for report_id in issuing.waiting(Report.State.PREPARING)[:1]:
        issuing.produce(report_id)
        return True
    return comparing.work_once() or reading.work_once() or exporting.work_once()


def sign() -> bool:
    """One turn of the signer: a report to be signed. False when none could be.

    However many signers there are, one at a time uses the court's keys (`evidence.reports.errands`).
    """
    for report_id in issuing.waiting(Report.State.SEALING)[:1]:
        return issuing.produce(report_id).state != Report.State.SEALING
    return False


def sweep() -> None:
    """Park, and ring again for every run, inquiry, report, reading, comparison and export that waits."""
    queue.sweep()
    for report_id in issuing.waiting():
        report_bell.ring(report_id)
    inquiries.sweep()
    readings.sweep()
    COMPARISONS.sweep()
    exports.sweep()


def signer(stop: threading.Event) -> None:
    """Sign until told to stop, and in between add what signed reports still lack; a signature is followed by the next at once."""
    looked = float("-inf")

    def turn() -> bool:
        nonlocal looked
        if sign():
            return True
        if time.monotonic() - looked > settings.PORTAL_SWEEP_SECONDS:
            upkeep.turn()
            looked = time.monotonic()
        return False

    _repeat(turn, SIGN_SECONDS, stop)


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
        for target, name in (
            (self._worker.start, "celery-worker"),
            (lambda: _repeat(sweep, settings.PORTAL_SWEEP_SECONDS, self._stop), "sweep"),
            (lambda: _repeat(sequencer.turn, LEDGER_SECONDS, self._stop), "ledger"),
            (lambda: _repeat(rendering.turn, RENDER_SECONDS, self._stop), "renderer"),
            (lambda: signer(self._stop), "signer"),
        ):
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        if self._worker is not None:
            self._worker.stop(in_sighandler=False)
        for thread in self._threads:
            thread.join(timeout=STOP_SECONDS_MAX)


def _repeat(work: Callable[[], object], seconds: float, stop: threading.Event) -> None:
    while True:
        again = False
        try:
            close_old_connections()
            again = work() is True
        except Exception:  # the database may be restarting: say so and try again at the next turn
            log.exception("%s failed", threading.current_thread().name)
        if stop.wait(0 if again else seconds):
            connection.close()
            return
