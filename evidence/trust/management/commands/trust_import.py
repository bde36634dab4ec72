"""Takes a pack (a folder or a zip file) into a new draft of one person's. It changes nothing in force: the draft is looked at and
proposed on the portal's page, and another person approves it there."""

from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from evidence.trust import contents, drafts
from evidence.trust.contents import Contents
from evidence.verification.trust import TrustError
from portal.people.models import User


def person(username: str) -> User:
    found = User.objects.filter(username=username, is_active=True).first()
    if found is None:
        raise CommandError(f"{username}: no such account, or it is closed")
    return found


def pack(source: Path) -> Contents:
    """The pack in a folder or in a zip file; at the console without the bound of a page."""
    try:
        if source.is_dir():
            return contents.of_directory(source)
        return contents.of_zip(source.read_bytes(), limit=contents.BYTES_MAX, inflated=contents.BYTES_MAX)
    except (TrustError, OSError) as fault:
        raise CommandError(f"{source}: {fault}") from fault


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, metavar="DIR|ZIP")
        parser.add_argument("--by", required=True, metavar="USERNAME", help="whose draft it is; must hold an office that may propose")
        parser.add_argument("--title", default="", help="what changes and why")

    def handle(self, *, source: Path, by: str, title: str, **options: object) -> None:
        whole, maker = pack(source), person(by)
        try:
            draft = drafts.start(title or f"{source.name}", by=maker)
            drafts.replace(draft, whole, what=f"{source.name}", by=maker)
        except drafts.NotAllowed as fault:
            raise CommandError(f"{by} holds no office that may propose (manage.py office give {by} sysadmin|auditor)") from fault
        except (drafts.DraftFault, TrustError) as fault:
            raise CommandError(str(fault)) from fault
        page = settings.PORTAL_PUBLIC_URL + reverse("trust:draft", args=[draft.public_id])
        self.stdout.write(f"draft {drafts.latest(draft).sha256}\n{page}")
