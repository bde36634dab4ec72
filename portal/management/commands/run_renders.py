"""The renderer: draws captured pages with the court's Chromium until stopped (or, with --drain, until none waits)."""

import time
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from evidence.captures.rendering import drawing, program, working

IDLE_SECONDS = 1


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--drain", action="store_true", help="stop when nothing waits")

    def handle(self, *, drain: bool, **options: object) -> None:
        if program.version() is None:
            raise CommandError("There is no Chromium that starts. Run:  apt-get install --no-install-recommends chromium fonts-noto-cjk   (or set PORTAL_CHROMIUM)")
        if (fault := drawing.why_not()) is not None:
            raise CommandError(f"This machine cannot cut the browser off from the network, so nothing is rendered: {fault}")
        while True:
            working.turn()
            if drain:
                return
            time.sleep(IDLE_SECONDS)
