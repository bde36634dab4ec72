"""The doorbell for reports; the row in state `preparing` or `sealing` is what counts."""

import logging

from portal.celery import app

log = logging.getLogger(__name__)

TASK = "evidence.reports.produce.v1"


def ring(report_id: int) -> None:
    try:
        app.send_task(TASK, args=[report_id], ignore_result=True, retry=False)
    except Exception as fault:  # any broker fault: the sweep rings again
        log.warning("doorbell for report %s not rung: %s", report_id, fault)
