"""The demonstration court: `python -m portal.demonstration [--once] [--fresh] [--port N]` (called by deploy/demo).

Starts a private PostgreSQL, makes people, keys, a labelled trust store and evidence, files the evidence through the real
intake, lets the real queue verify it, issues a signed report, says where everything is, and serves the portal. Data survive
a restart; a second start makes nothing twice.
"""

import argparse
import os
import shutil
import socket
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 120
RECORDED_DAYS_AGO = 30
"""The demonstration's recordings are said to have happened this long before."""


def main() -> int:
    options = _options()
    if not options.once and not _free(options.address, options.port):
        print(f"demo: port {options.port} is in use; choose another with --port", file=sys.stderr)
        return 1
    data = Path(os.environ.get("PORTAL_DATA_DIR") or ROOT / "var" / "demo").resolve()
    from portal import embedded

    database = data / "postgres"
    given = os.environ.get("PORTAL_DATABASE_URL")
    if options.fresh and data.exists():
        embedded.remove_postgres(database)
        shutil.rmtree(data)
    data.mkdir(parents=True, exist_ok=True, mode=0o711)
    os.environ.update(
        PORTAL_DEMO="1",
        PORTAL_DATA_DIR=str(data),
        PORTAL_TRUST_DIR=str(data / "first-trust"),
        PORTAL_PUBLIC_URL=f"http://localhost:{options.port}",
        PORTAL_DATABASE_URL=given or embedded.ensure_postgres(database),
        DJANGO_SETTINGS_MODULE="portal.settings",
    )
    os.environ.setdefault("PORTAL_LOG_LEVEL", "WARNING")
    # A name that browsers take to this machine by themselves, and that gets no cookie of `localhost`.
    os.environ.setdefault("PORTAL_EVIDENCE_ORIGIN", f"http://evidence.localhost:{options.port}")
    import django

    django.setup()
    _prepare(data)
    _evidence(data)
    _tell(options.port, serving=not options.once)
    if options.once:
        return 0
    # A new program image: libraries used so far have threads of their own, which would be missing after a fork.
    sys.stdout.flush()
    own = "" if given else str(database)
    serve = [sys.executable, "-m", "portal.demonstration.serving", f"{options.address}:{options.port}", own]
    os.execv(sys.executable, serve)  # noqa: S606  our own interpreter, our own arguments


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy/demo", description="A demonstration court on this machine.")
    parser.add_argument("--once", action="store_true", help="stop after the report")
    parser.add_argument("--fresh", action="store_true", help="throw the demonstration's data away first")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--address", default="127.0.0.1", help="address to serve on")
    return parser.parse_args()


def _free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def _prepare(data: Path) -> None:
    """Tables, static files, start-up checks, keys, people."""
    from django.conf import settings
    from django.core.management import call_command

    from portal.people.demonstration import PEOPLE

    from . import authority, court

    call_command("migrate", verbosity=0)
    built = max((p.stat().st_mtime_ns for p in Path(settings.STATICFILES_DIRS[0]).rglob("*")), default=0)
    stamp = data / "static.stamp"
    if not stamp.exists() or stamp.read_text(encoding="ascii") != str(built):
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        stamp.write_text(str(built), encoding="ascii")
    staff = {person.username: person.name for person in PEOPLE if person.court_staff}
    authority.ensure(settings.PORTAL_SIGNING_DIR, at=datetime.now(UTC), people=staff)
    court.ensure()


def _evidence(data: Path) -> None:
    """Evidence, verdicts and a report: once. An interrupted first start goes on where it stopped."""
    from django.conf import settings

    from evidence.exhibits.models import Exhibit
    from evidence.reports.models import Report
    from evidence.worker import EmbeddedWorker

    from . import court, exhibits, filing, trust

    case = court.ensure()
    if Report.objects.filter(case=case).exclude(signed_sha256="").exists():
        return
    folder = data / "evidence"
    if not folder.exists():
        _say("making evidence with independent writers (warcio, py-wacz, block builders, a local time-stamping authority)")
        recorded_at = (datetime.now(UTC) - timedelta(days=RECORDED_DAYS_AGO)).replace(microsecond=0)
        made = exhibits.make(settings.PORTAL_SIGNING_DIR, at=recorded_at)
        shutil.rmtree(settings.PORTAL_TRUST_DIR, ignore_errors=True)
        trust.write(
            settings.PORTAL_TRUST_DIR,
            chains=made.chains,
            tsa_root=(settings.PORTAL_SIGNING_DIR / "roots" / "root.pem").read_bytes(),
            at=datetime.now(UTC),
        )
        trust.publish(settings.PORTAL_TRUST_DIR)
        filing.keep(folder, made.filed)
    for number, filed in filing.kept(folder):
        exhibit = filing.file(filed, case, key=f"demonstration-{number}")
        _say(f"filed {exhibit.label} {exhibit.name} ({len(filed.files)} files), receipt {exhibit.receipt_number}")
    worker = EmbeddedWorker()
    worker.start()
    try:
        _wait_for_verdicts(Exhibit.objects.filter(case=case).count())
        _report(case)
    finally:
        worker.stop()


def _wait_for_verdicts(count: int) -> None:
    from evidence.runs.models import Run, RunVerdict

    end = time.monotonic() + WAIT_SECONDS
    while RunVerdict.objects.count() < count:
        parked = Run.objects.filter(state=Run.State.PARKED).first()
        if parked or time.monotonic() > end:
            raise SystemExit(f"demo: verification did not finish ({parked.fault if parked else 'time ran out'})")
        time.sleep(0.1)
    for verdict in RunVerdict.objects.select_related("run__exhibit").order_by("run__exhibit__side", "pk"):
        exhibit = verdict.run.exhibit
        _say(f"verified {exhibit.label} {exhibit.name}: {verdict.overall} {verdict.grade}")


def _report(case: object) -> None:
    """As people do it: the clerk orders, the assistant checks, the judge signs."""
    from django.db import transaction

    from evidence.reports import decisions, issuing
    from evidence.reports.models import Report
    from evidence.runs.models import RunVerdict
    from portal.people.models import User

    people = {u.username: u for u in User.objects.filter(username__in=("clerk", "assistant", "judge"))}
    report = Report.objects.filter(case=case).first()
    if report is None:
        with transaction.atomic():
            report = issuing.order(case, list(RunVerdict.objects.all()), by=people["clerk"])  # type: ignore[arg-type]
    report = _worked(report)
    if report.state == Report.State.DRAFT:
        report = decisions.check(report, by=people["assistant"], annex=report.annex_sha256)
    if report.state == Report.State.CHECKED:
        decisions.send(report, by=people["judge"], annex=report.annex_sha256)
    report = _worked(report)
    if not report.signed_sha256:
        raise SystemExit(f"demo: the report was not made: {report.fault or report.state}")


def _worked(report: Any) -> Any:
    from evidence.reports import issuing

    end = time.monotonic() + WAIT_SECONDS
    report.refresh_from_db()
    while report.state in issuing.WORK and time.monotonic() < end:
        time.sleep(0.1)
        report.refresh_from_db()
    return report


def _tell(port: int, *, serving: bool) -> None:
    from django.conf import settings

    from evidence.reports.models import Report
    from portal.people.demonstration import PEOPLE
    from portal.vault import Vault

    report = Report.objects.exclude(signed_sha256="").order_by("pk").first()
    if report is None:
        raise SystemExit("demo: there is no report")
    copy = settings.PORTAL_DATA_DIR / "reports" / f"{report.number}.pdf"
    copy.parent.mkdir(exist_ok=True)
    with Vault(settings.PORTAL_VAULT_DIR).open(report.signed_sha256) as stream:
        copy.write_bytes(stream.read())
    address = f"http://localhost:{port}"
    lines = [
        "",
        "明鉴 Mingjian · 演示法院 DEMONSTRATION COURT (demonstration keys and trust store, no effect whatever)",
        "",
        f"  signed report   {copy}",
        f"                  {report.number}, {report.pages} pages, {report.signature_level}",
        f"  evidence        {settings.PORTAL_DATA_DIR / 'evidence'} (what was handed in)",
        f"  trust store     {settings.PORTAL_DATA_DIR / 'trust' / 'in-force'} (signed; published by two of the people below)",
    ]
    if serving:
        lines += [
            f"  portal          {address}/",
        f"  safe views      {settings.PORTAL_EVIDENCE_ORIGIN}/ (a host without cookies; shows nothing by itself)",
            f"  check a report  {address}/reports/check/?number={report.number}&code={report.check_code}",
            "  sign in as      "
            + ", ".join(f"{p.name} ({p.username})" for p in PEOPLE)
            + " — one press on the sign-in page, no password",
            "  stop            Ctrl-C",
        ]
    print("\n".join([*lines, ""]), flush=True)


def _say(text: str) -> None:
    print(f"demo: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
