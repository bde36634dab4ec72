"""One renderer's turn: say what this machine can do, park what is over, render what waits.

The picture first, the row last: a crash in between leaves an object that nothing refers to, and the next attempt writes it again.
"""

import logging
import socket
import time

from django.conf import settings
from django.db.models import Q

from portal.vault import Vault

from . import drawing, program, queue
from .models import CourtRender, Form

log = logging.getLogger(__name__)

ANNOUNCE_SECONDS = 60
_announced: tuple[float, str] = (float("-inf"), "")
"""(when, on the monotonic clock; version): of this process; "" while it cannot render."""


def turn() -> None:
    """Everything that waits, one after another. Nothing where there is no Chromium."""
    while (browser := announce()) and work_once(browser):
        pass


def announce() -> str:
    """The version this machine renders with, "" where it does not; told to the database once a minute."""
    global _announced
    when, version = _announced
    if time.monotonic() - when < ANNOUNCE_SECONDS:
        return version
    found = program.version()
    if program.path() is None:
        _announced = (time.monotonic(), "")
        return ""
    fault = ("the browser does not start" if found is None else drawing.why_not()) or ""
    if fault:
        log.warning("no court renders on this machine: %s", fault)
    queue.announce(socket.gethostname(), browser=found or "", fault=fault)
    queue.sweep()
    _announced = (time.monotonic(), "" if fault else found or "")
    return _announced[1]


def work_once(browser: str) -> bool:
    """Take one render for this version and carry this attempt to its end. True when there was one."""
    return queue.RENDERS.work_once(_render, Q(browser=browser))


def _render(row: CourtRender) -> str:
    vault = Vault(settings.PORTAL_VAULT_DIR)
    drawn = drawing.draw(vault.path(row.source_sha256), form="MHTML" if row.form == Form.MHTML else "HTML")
    if isinstance(drawn, str):
        return drawn
    sizes = {name: getattr(drawn, name) for name in ("width", "height", "full_width", "full_height", "refused", "loaded")}
    queue.RENDERS.finish(row, picture_sha256=vault.put_bytes(drawn.png).sha256, **sizes)
    return ""
