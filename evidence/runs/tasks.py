"""Celery's side of the queue: what a bell sets off. Arguments are hints, never trusted."""

from celery import shared_task

from . import bell, queue, working


@shared_task(name=bell.TASK, ignore_result=True)
def work(run_id: int) -> None:
    """Somebody rang: work on whatever is next (the queue decides, not the message)."""
    working.work_once()


@shared_task(name=bell.SWEEP_TASK, ignore_result=True)
def sweep() -> None:
    queue.sweep()
