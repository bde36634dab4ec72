"""Celery's side of the readings: what a bell sets off. The queue decides what is read, not the message."""

from celery import shared_task

from . import working
from .queue import READINGS


@shared_task(name=READINGS.task, ignore_result=True)
def read() -> None:
    working.work_once()
