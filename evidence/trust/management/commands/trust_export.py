"""Writes a published pack, with the court's signature, into a new folder or a zip file: for `python -m evidence.verification --trust`,
for the other side's expert, for another court."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from evidence.trust import contents, packs
from evidence.trust.contents import MANIFEST
from evidence.trust.models import Pack
from evidence.verification.anchor_pack import SIGNATURE
from evidence.verification.trust import TrustError


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", type=Path, metavar="TARGET", help="a folder that does not exist yet, or a name ending in .zip")
        parser.add_argument("--pack", metavar="DIGEST", help="which pack, by its digest or the beginning of it; default: the one in force")

    def handle(self, *, target: Path, pack: str | None, **options: object) -> None:
        found = list(Pack.objects.filter(sha256__startswith=pack.lower())[:2]) if pack else [p for p in (packs.in_force(),) if p]
        if len(found) != 1:
            raise CommandError("more than one pack begins so" if found else "there is no such pack")
        if target.exists():
            raise CommandError(f"{target} exists already")
        try:
            whole = packs.contents(found[0])
        except TrustError as fault:
            raise CommandError(str(fault)) from fault
        if target.suffix == ".zip":
            target.write_bytes(contents.zipped(whole, signature=found[0].signature))
        else:
            for path, data in {MANIFEST: whole.manifest, SIGNATURE: found[0].signature.encode(), **whole.members}.items():
                file = target / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
        self.stdout.write(f"no. {found[0].number} {found[0].sha256}\n{target}")
