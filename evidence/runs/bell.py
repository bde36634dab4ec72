"""The doorbell: a message that says "look at the queue". It may be lost, doubled or forged without harm."""

import logging

from portal.celery import app

log = logging.getLogger(__name__)

TASK = "evidence.runs.work.v1"
BULK_TASK = "evidence.runs.bulk.v1"
SWEEP_TASK = "evidence.runs.sweep.v1"


def ring(run_id: int) -> bool:
    """Send the bell for whatever is not bulk. A broker that is down or frozen costs a warning and a delay until the next sweep, never the upload."""
    return _send(TASK, run_id)


def ring_bulk(run_id: int) -> bool:
    """The same for large exhibits: the task has a longer time limit, and may be given workers of its own."""
    return _send(BULK_TASK, run_id)


def _send(task: str, run_id: int) -> bool:
    try:
        app.send_task(task, args=[run_id], ignore_result=True, retry=False)
    except Exception as fault:  # any broker fault: the sweep rings again
        log.warning("doorbell for run %s not rung: %s", run_id, fault)
        return False
    return True
