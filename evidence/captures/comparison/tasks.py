"""Celery's side of the comparisons: what a bell sets off. The queue decides what is compared, not the message."""

from celery import shared_task

from . import bell, working


@shared_task(name=bell.TASK, ignore_result=True)
def compare() -> None:
    working.work_once()
