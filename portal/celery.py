"""The Celery application: tasks carry ids only, the database row says what is to be done."""

import logging
import os

from celery import Celery

log = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(
    ["evidence.runs", "evidence.reports", "evidence.exports", "evidence.connectors", "evidence.captures", "evidence.captures.comparison"]
)


def ring(task: str, *hints: int) -> bool:
    """The doorbell: a message that says "look at the table". It may be lost, doubled or forged without harm.

    A broker that is down or frozen costs a warning and a delay until the next sweep, never what was being stored.
    """
    try:
        app.send_task(task, args=hints, ignore_result=True, retry=False)
    except Exception as fault:  # any broker fault: the sweep rings again
        log.warning("doorbell %s not rung: %s", task, fault)
        return False
    return True
