"""Keep signed reports provable: upgrade those signed without time-stamp or revocation data, renew archive time-stamps. Run it daily."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from evidence.reports import upkeep


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--list", action="store_true", help="say what is to be done and do nothing")

    def handle(self, *, list: bool, **options: object) -> None:
        work = [(report, "upgrade", f"signed as {report.newest_level}", upkeep.upgrade) for report in upkeep.pending()]
        due = upkeep.due()
        work += [(one.report, "renew", one.said, upkeep.renew) for one in due if not one.lost]
        lost = [one for one in due if one.lost]
        for one in lost:
            self.stderr.write(f"{one.report.number}  CANNOT BE RENEWED  {one.said}")
        failed = 0
        for report, act, why, do in work:
            if list:
                self.stdout.write(f"{report.number}  {act}  {why}")
                continue
            try:
                revision = do(report)
            except Exception as fault:  # one report that cannot be helped must not keep the others from it
                failed += 1
                self.stderr.write(f"{report.number}  {act} FAILED  {fault}")
            else:
                self.stdout.write(f"{report.number}  {act}d  revision {revision.number}, {revision.level}, {revision.sha256}")
        if failed:
            raise CommandError(f"{failed} of {len(work)} reports could not be kept up; run the command again when the cause is cured")
        if not work and not lost:
            self.stdout.write("nothing to do")
