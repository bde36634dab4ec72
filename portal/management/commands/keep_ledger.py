"""The ledger's sequencer as a process of its own: brings acts under signed heads, once a second. Run it on one host only."""

import time

from django.core.management.base import BaseCommand

from portal.ledger import sequencer

SECONDS = 1


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, **options: object) -> None:
        while True:
            sequencer.turn()
            time.sleep(SECONDS)
