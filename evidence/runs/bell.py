"""The doorbell: a message that says "look at the queue". It may be lost, doubled or forged without harm."""

import logging

from portal.celery import app

log = logging.getLogger(__name__)

TASK = "evidence.runs.work.v1"
SWEEP_TASK = "evidence.runs.sweep.v1"


def ring(run_id: int) -> bool:
    """Send the bell. A broker that is down or frozen costs a warning and a delay until the next sweep, never the upload."""
    try:
        app.send_task(TASK, args=[run_id], ignore_result=True, retry=False)
    except Exception as fault:  # any broker fault: the sweep rings again
        log.warning("doorbell for run %s not rung: %s", run_id, fault)
        return False
    return True
