"""Celery's side of the inquiries: what a bell sets off. The queue decides what is asked, not the message."""

from celery import shared_task

from . import inquiries


@shared_task(name=inquiries.TASK, ignore_result=True)
def ask() -> None:
    inquiries.work_once()
