"""Celery's side of the exports: what a bell sets off. The queue decides what is made, not the message."""

from celery import shared_task
from django.conf import settings

from . import working
from .queue import EXPORTS


@shared_task(
    name=EXPORTS.task,
    ignore_result=True,
    time_limit=settings.PORTAL_BULK_SECONDS + 120,  # many gigabytes are copied: the longest task the broker is set up for
    soft_time_limit=settings.PORTAL_BULK_SECONDS + 100,
)
def make() -> None:
    working.work_once()
