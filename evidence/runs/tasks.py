"""Celery's side of the queue: what a bell sets off. Arguments are hints, never trusted."""

from celery import shared_task
from django.conf import settings

from . import queue, working
from .models import BULK, OTHERS


@shared_task(name=queue.TASK, ignore_result=True)
def work(run_id: int) -> None:
    """Somebody rang: work on whatever is next (the queue decides, not the message)."""
    working.work_once(lanes=OTHERS)


@shared_task(
    name=queue.BULK_TASK,
    ignore_result=True,
    time_limit=settings.PORTAL_BULK_SECONDS + 120,  # the jail's own clock ends first
    soft_time_limit=settings.PORTAL_BULK_SECONDS + 100,
)
def work_bulk(run_id: int) -> None:
    """A large exhibit waits."""
    working.work_once(lanes=BULK)
