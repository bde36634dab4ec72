"""Celery's side of reports. The state of the row says what is done, whichever bell was rung."""

from celery import shared_task

from . import bell, issuing

LIMITS = {"soft_time_limit": 280, "time_limit": 300}
"""A render may take three minutes on a busy machine."""


@shared_task(name=bell.TASK, ignore_result=True, **LIMITS)
def produce(report_id: int) -> None:
    issuing.produce(report_id)


@shared_task(name=bell.SIGN_TASK, ignore_result=True, **LIMITS)
def sign(report_id: int) -> None:
    issuing.produce(report_id)
