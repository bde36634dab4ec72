"""Celery's side of reports."""

from celery import shared_task

from . import bell, issuing


@shared_task(name=bell.TASK, ignore_result=True)
def produce(report_id: int) -> None:
    issuing.produce(report_id)
