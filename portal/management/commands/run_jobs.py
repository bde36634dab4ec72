"""A worker without Celery: works on the queues of record until stopped (or, with --drain, until they are empty).

Signing goes on beside the rest, in a thread of its own, so that nothing waits for a key or a time-stamping authority."""

import threading
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
        parser.add_argument("--no-signing", action="store_true", help="leave the court's keys to run_signing or to Celery's queue “signing”")

    def handle(self, *, drain: bool, no_signing: bool, **options: object) -> None:
        self.check(databases=["default"])  # the trust store in force is asked of the database
        if not drain and not no_signing:
            threading.Thread(target=worker.signer, args=(threading.Event(),), name="signer", daemon=True).start()
        swept = float("-inf")
        while True:
            if time.monotonic() - swept > settings.PORTAL_SWEEP_SECONDS:
                worker.sweep()
                swept = time.monotonic()
            if worker.turn() or (drain and not no_signing and worker.sign()):
                continue
            if drain and not working.unfinished():
                return
            time.sleep(IDLE_SECONDS)
