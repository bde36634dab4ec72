"""Tier 3, off unless the court has installed ReplayWeb.page on an origin of its own (docs/replay.md): a link to it beside a capture.

The portal hands it nothing: no address of a file, no cookie, no referrer. Who wants to see an archive replayed downloads it and
opens it there. What is seen there is a reconstruction by a third party's program and never a source of verification.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from evidence.exhibits.models import ExhibitFile

from .capture import Capture, Kind
from .display import origin
from .rendering.section import is_mhtml

_ORIGIN = re.compile(r"https://(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}(?::[0-9]{1,5})?|http://(?:[a-z0-9-]{1,63}\.)*localhost(?::[0-9]{1,5})?")


def fault() -> str | None:
    """Why the setting cannot be used, in words for the installer; None where it can, or where it is empty."""
    where = str(settings.PORTAL_REPLAY_ORIGIN)
    if not where:
        return None
    if not _ORIGIN.fullmatch(where):
        return "is no https origin: scheme, host in lower case and perhaps a port, nothing behind it"
    host = urlsplit(where).hostname or ""
    portal = {urlsplit(settings.PORTAL_PUBLIC_URL).hostname or "", *(h.strip("[]").lower() for h in settings.ALLOWED_HOSTS)}
    shown = origin.netloc()
    if any(_one_site(host, other) for other in portal | ({shown.split(":")[0]} if shown else set())):
        return "lies under the domain of the portal or of its host of evidence: scripts of a replayed page must not be their neighbour"
    return None


def address(file: ExhibitFile, capture: Capture) -> str | None:
    """Where this capture may be replayed; None: not at all, and nothing is said of it. For pages that lie in a WARC or WACZ."""
    where = str(settings.PORTAL_REPLAY_ORIGIN)
    if not where or capture.kind is not Kind.PAGE or capture.place.record_offset is None or fault() is not None:
        return None
    return None if is_mhtml(file) else where


def _one_site(one: str, other: str) -> bool:
    """Whether one is the other, or they share their last two labels: cookies and storage of a parent domain reach both."""
    other = other.lstrip(".")
    return bool(other) and (one == other or (other == "*") or one.split(".")[-2:] == other.split(".")[-2:])


@checks.register("security")
def replay_apart(app_configs: object, **_: object) -> list[checks.CheckMessage]:
    wrong = fault()
    if wrong is None:
        return []
    hint = "Set it to an origin under a domain of its own, for example:  PORTAL_REPLAY_ORIGIN=https://replay.court-replay.example   or unset it."
    return [checks.Error(f"PORTAL_REPLAY_ORIGIN={settings.PORTAL_REPLAY_ORIGIN} {wrong}.", hint=hint, id="portal.E041")]
