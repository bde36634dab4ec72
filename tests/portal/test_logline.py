"""What a party writes can stand in a log, but can neither begin a line of it nor steer the terminal that shows it."""

import io
import logging
import logging.config
import re

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

EVENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ ")
HOSTILE = (
    "a.html\n2026-01-01 00:00:00,000 INFO evidence.runs verdict=CONSISTENT",
    "a\r\n2026-01-01 00:00:00,000 INFO x",
    "a\x1b[2J\x1b]0;owned\x07",
    "a\x85 2026\u2028b\u2029c\x0b\x0c",
    "invoice\u202efdp.exe",
    "a\x00b",
    "\ud800",
)


@pytest.fixture
def log() -> tuple[logging.Logger, io.StringIO]:
    """A logger dressed by the portal's own settings."""
    made = logging.config.DictConfigurator({"version": 1, "formatters": settings.LOGGING["formatters"]})
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(made.configure_formatter(dict(settings.LOGGING["formatters"]["line"])))
    logger = logging.Logger("portal.test")  # noqa: LOG001
    logger.addHandler(handler)
    return logger, stream


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().rstrip("\n").split("\n")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_one_event_is_one_line(log: tuple[logging.Logger, io.StringIO], hostile: str) -> None:
    """To see it fail: take the formatter's class out of the settings."""
    logger, stream = log
    logger.warning("file %s was not taken", hostile)
    [line] = lines(stream)
    assert EVENT.match(line) and line.isprintable() and line.endswith("was not taken")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_traceback_shows_its_lines_and_none_looks_like_an_event(log: tuple[logging.Logger, io.StringIO], hostile: str) -> None:
    logger, stream = log
    try:
        raise ValueError(hostile)
    except ValueError:
        logger.exception("run %s", "x\ny")
    first, *rest = lines(stream)
    assert EVENT.match(first) and len(rest) >= 3
    assert all(line.startswith("  | ") and line.isprintable() for line in rest)
    assert rest[-1].strip().startswith("|") and "test_logline.py" in stream.getvalue()


@given(st.text())
def test_no_text_makes_a_second_line(text: str) -> None:
    from portal.logline import spelt_out

    shown = spelt_out(text)
    assert len(shown.splitlines()) <= 1 and not re.search(r"[\x00-\x1f\x7f-\x9f]", shown)
    assert not text.isprintable() or shown == text


@pytest.mark.django_db
def test_an_address_cannot_write_into_the_log(log: tuple[logging.Logger, io.StringIO], caplog: pytest.LogCaptureFixture) -> None:
    handler = log[0].handlers[0]
    logging.getLogger("django").addHandler(handler)
    try:
        client = Client(raise_request_exception=False)
        client.get("/nothing/%0A2026-01-01%2000:00:00,000%20INFO%20portal%20owned/%1b[2J")
        client.get("/", headers={"host": "evil\n2026.example", "user-agent": "x\ny"})
    finally:
        logging.getLogger("django").removeHandler(handler)
    said = lines(log[1])
    assert said and all(EVENT.match(line) or line.startswith("  | ") for line in said)
    assert not any(line.startswith("2026-01-01 00:00:00,000") for line in said)
