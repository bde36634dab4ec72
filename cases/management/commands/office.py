"""Offices of the court: who may keep its trust store. Given and ended at the console by whoever owns the installation; each is an
act in the ledger."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cases.models import Office
from portal.people.models import User


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("give", "end", "list"))
        parser.add_argument("username", nargs="?")
        parser.add_argument("post", nargs="?", choices=Office.Post.values)

    def handle(self, *, act: str, username: str | None, post: str | None, **options: object) -> None:
        if act == "list":
            for office in Office.objects.filter(valid_to__isnull=True).select_related("user").order_by("post", "user__username"):
                self.stdout.write(f"{office.post}\t{office.user.username}\t{office.user.get_full_name()}")
            return
        if username is None or post is None:
            raise CommandError(f"office {act} USERNAME {'|'.join(Office.Post.values)}")
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"{username}: no such account, or it is closed")
        if act == "give":
            if not user.court_staff:
                raise CommandError(f"{username} is not court staff")
            Office.give(user, post)
            return
        office = Office.objects.filter(user=user, post=post, valid_to__isnull=True).first()
        if office is None:
            raise CommandError(f"{username} does not hold this office")
        office.end(at=timezone.now())
