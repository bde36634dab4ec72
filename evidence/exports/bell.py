"""The doorbell of exports: a message that says "look at the queue". It may be lost, doubled or forged without harm."""

import logging

from portal.celery import app

log = logging.getLogger(__name__)

TASK = "evidence.exports.make.v1"


def ring() -> bool:
    """As `evidence.runs.bell.ring`: a broker that is down costs a warning and a delay until the next sweep."""
    try:
        app.send_task(TASK, ignore_result=True, retry=False)
    except Exception as fault:  # any broker fault: the sweep rings again
        log.warning("doorbell for exports not rung: %s", fault)
        return False
    return True
