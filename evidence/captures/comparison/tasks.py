"""Celery's side of the comparisons: what a bell sets off. The queue decides what is compared, not the message."""

from celery import shared_task

from . import working
from .queue import COMPARISONS


@shared_task(name=COMPARISONS.task, ignore_result=True)
def compare() -> None:
    working.work_once()
