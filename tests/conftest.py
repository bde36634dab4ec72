"""What every test may use, and the loud list of what did not run.

    @pytest.mark.needs("chromium")     the test needs this program of the system

A skipped test is never silent: the run closes with each reason and how many tests it kept from running.
"""

import shutil
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import screens

NAMES = {"chromium": ("chromium", "chromium-browser", "google-chrome")}
"""Programs that go by several names."""
REMEDY = {
    "chromium": "apt-get install chromium",
    "pdftoppm": "apt-get install poppler-utils",
    "pdfsig": "apt-get install poppler-utils",
    "qpdf": "apt-get install qpdf",
    "strace": "apt-get install strace",
    "openssl": "apt-get install openssl",
    "softhsm2-util": "apt-get install softhsm2",
}


def program(name: str) -> str | None:
    """The path of a program of the system, whichever of its names it goes by here."""
    return next((found for known in NAMES.get(name, (name,)) if (found := shutil.which(known))), None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each test goes to whoever is free, but the journeys to one worker, in a row and before all others: they share one
    demonstration, and take longest. (The marker xdist_group does this no more: it renames tests, which pytest 9 does not allow.)"""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return "journeys" if nodeid.startswith("tests/journeys/") else nodeid

    return Scheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            if program(name) is None:
                pytest.skip(f"{name} is missing ({REMEDY.get(name, 'install it')})")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", action="store_true", help="keep a picture of every page looked at, in var/test/screens")


def pytest_configure(config: pytest.Config) -> None:
    screens.WANTED = config.getoption("pictures")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A test that fails before its windows are closed leaves pictures of where they stood."""
    report = yield
    if call.when == "call" and call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
        screens.failed()
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    reasons = Counter(report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr) for report in skipped)
    terminalreporter.section("NOT RUN", sep="!", red=True, bold=True)
    for reason, count in reasons.most_common():
        terminalreporter.line(f"NOT RUN: {count} test{'s' if count > 1 else ''}: {reason.removeprefix('Skipped: ')}")


GUARDED = ("ledger_", "exhibits_", "runs_", "reports_", "exports_", "connectors_", "captures_", "trust_", "cases_office", "cases_delegation")
"""Tables of the rooms whose rows the database keeps."""


KEPT = {"django_migrations", "django_content_type", "auth_permission"}
"""What `migrate` writes and no test changes."""


def emptied(self: object = None) -> None:
    """Delete the rows that a test committed, from the tables that have any: far quicker than TRUNCATE of every table, after which
    content types and permissions are made again. The guards of the record, which refuse it, are lifted for that."""
    from django.db import connection, transaction

    tables = sorted(set(connection.introspection.table_names()) - KEPT)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables))
        filled = [table for (table,) in cursor.fetchall()]
        guarded = [table for table in filled if table.startswith(GUARDED)]
        for statement in (
            *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in guarded),
            *(f"DELETE FROM {table}" for table in filled),
            "SET CONSTRAINTS ALL IMMEDIATE",
            *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in guarded),
        ):
            cursor.execute(statement)


@pytest.fixture(autouse=True, scope="session")
def _emptying_guarded_tables() -> Iterator[None]:
    """A test that commits is cleaned up by hand (`emptied`)."""
    from django.test import TransactionTestCase

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", emptied)
        yield


_STARTED: list[tuple[float, str]] = []
"""When each test of this process began: a database session tells when it was opened."""


def pytest_runtest_logstart(nodeid: str) -> None:
    _STARTED.append((time.time(), nodeid))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database, and at the end the tests that left a session of it open: each holds up the next start."""
    yield
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM backend_start), state, left(query, 200) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        left = cursor.fetchall()
    for opened, state, query in left:
        test = next((name for began, name in reversed(_STARTED) if began <= opened), "the start of the run")
        warnings.warn(f"{test} left a database session open ({state}): {query}", pytest.PytestWarning, stacklevel=1)


@pytest.fixture
def ledger_dir(tmp_path: Path, settings: object) -> Path:
    """For tests that sign heads: a key and a checkpoint file of their own, as new as the emptied tables."""
    settings.PORTAL_DATA_DIR = tmp_path / "ledger-data"  # type: ignore[attr-defined]
    return tmp_path / "ledger-data"
