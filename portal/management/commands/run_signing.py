"""The signer alone: signs reports with the court's keys and adds time-stamps that were missing, until stopped. For a host that holds the keys."""

import threading

from django.core.management.base import BaseCommand

from evidence import worker


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, **options: object) -> None:
        self.check(databases=["default"])
        worker.signer(threading.Event())
