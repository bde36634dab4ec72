"""The doorbells for reports; the row in state `preparing` or `sealing` is what counts. Signing has a queue of its own, with one worker."""

import logging

from django.conf import settings

from portal.celery import app

log = logging.getLogger(__name__)

TASK = "evidence.reports.produce.v1"
SIGN_TASK = "evidence.reports.sign.v1"
SIGNING_QUEUE = "signing"


def ring(report_id: int) -> None:
    from .models import Report

    try:
        if Report.objects.filter(pk=report_id, state=Report.State.SEALING).exists():
            if not settings.PORTAL_EMBEDDED_WORKER:  # whose signer looks by itself and hears no bell
                app.send_task(SIGN_TASK, args=[report_id], queue=SIGNING_QUEUE, ignore_result=True, retry=False)
        else:
            app.send_task(TASK, args=[report_id], ignore_result=True, retry=False)
    except Exception as fault:  # any broker fault: the sweep rings again
        log.warning("doorbell for report %s not rung: %s", report_id, fault)
