"""A worker without Celery: works on the queues of record until stopped (or, with --drain, until they are empty)."""

import time
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand

from evidence import worker
from evidence.runs import working

IDLE_SECONDS = 0.5


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--drain", action="store_true", help="stop when nothing waits")

    def handle(self, *, drain: bool, **options: object) -> None:
        self.check(databases=["default"])  # the trust store in force is asked of the database
        swept = float("-inf")
        while True:
            if time.monotonic() - swept > settings.PORTAL_SWEEP_SECONDS:
                worker.sweep()
                swept = time.monotonic()
            if worker.turn():
                continue
            if drain and not working.unfinished():
                return
            time.sleep(IDLE_SECONDS)
