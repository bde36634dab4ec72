"""Which Chromium draws, and the version its binary states."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from django.conf import settings

PACKAGE = "chromium"
"""Of Debian; the binary itself, not the launcher script, which adds flags of its own."""
_BINARIES = ("/usr/lib/chromium/chromium", "/usr/lib/chromium-browser/chromium-browser", "/opt/google/chrome/chrome")
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_VERSION = re.compile(r"(?:Chromium|Google Chrome) ([0-9]{1,4}(?:\.[0-9]{1,6}){1,3})\b")
_START_SECONDS = 20
OFF = "off"


def path() -> Path | None:
    """The binary: `PORTAL_CHROMIUM`, else where Debian and others put it; None when there is none or it is switched off."""
    wanted = settings.PORTAL_CHROMIUM
    if wanted == OFF:
        return None
    if wanted:
        return Path(wanted) if Path(wanted).is_file() else None
    for found in _BINARIES:
        if Path(found).is_file():
            return Path(found)
    named = next(filter(None, (shutil.which(n) for n in _NAMES)), None)
    # A script only starts the browser from a place that the cage may not show it.
    if named is None or Path(named).read_bytes()[:4] != b"\x7fELF":
        return None
    return Path(named).resolve()


def version() -> str | None:
    """As the binary says it, "150.0.7871.100"; asked again when the file changes (an upgrade under a running worker)."""
    binary = path()
    return None if binary is None else _version(str(binary), binary.stat().st_mtime_ns)


@cache
def _version(binary: str, changed: int) -> str | None:
    try:
        said = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=_START_SECONDS, check=True, env={"HOME": "/nonexistent"}
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(said.stdout)
    return found[1] if found else None
