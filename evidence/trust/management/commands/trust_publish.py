"""The first trust store of a new installation, published at the console by its owner, once: two people are named, each must hold an
office that allows their part, and both are written into the ledger with the word `console`. When a pack is in force this command
refuses; every later change is approved on the portal's page by the second person themselves."""

from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from evidence.trust import drafts, packs, signing
from evidence.verification.trust import TrustError

from .trust_import import pack, person


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, nargs="?", metavar="DIR|ZIP", help="default: PORTAL_TRUST_DIR")
        parser.add_argument("--proposed-by", required=True, metavar="USERNAME")
        parser.add_argument("--approved-by", required=True, metavar="USERNAME")

    def handle(self, *, source: Path | None, proposed_by: str, approved_by: str, **options: object) -> None:
        if in_force := packs.in_force():
            raise CommandError(
                f"pack no. {in_force.number} ({in_force.sha256}) is in force: propose a draft on the portal's page and let another person approve it"
            )
        one, other = person(proposed_by), person(approved_by)
        whole = pack(source or Path(settings.PORTAL_TRUST_DIR))
        try:
            published = drafts.first(whole, proposer=one, approver=other)
        except drafts.NotAllowed as fault:
            raise CommandError("two different people are needed, each with an office that allows it (manage.py office give …)") from fault
        except (drafts.DraftFault, TrustError, signing.KeyFault) as fault:
            raise CommandError(str(fault)) from fault
        self.stdout.write(f"in force: no. {published.number} {published.sha256}\n{packs.directory(published)}")
