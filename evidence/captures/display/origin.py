"""Where safe views are shown: an origin of its own (PORTAL_EVIDENCE_ORIGIN), which no cookie of the portal reaches.

Cookies know hosts, not ports: another port of the portal's host is no place for evidence.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings

_ORIGIN = re.compile(r"https?://(?:[a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}(?::[0-9]{1,5})?|https?://\[[0-9a-f:]+\](?::[0-9]{1,5})?")


def fault() -> str | None:
    """Why the setting cannot be used, in words for the installer; None where it can, or where it is empty."""
    origin = str(settings.PORTAL_EVIDENCE_ORIGIN)
    if not origin:
        return None
    if not _ORIGIN.fullmatch(origin):
        return "is no origin: scheme, host in lower case and perhaps a port, nothing behind it"
    host = urlsplit(origin).hostname or ""
    own = {urlsplit(settings.PORTAL_PUBLIC_URL).hostname, *(h.strip("[]").lower() for h in settings.ALLOWED_HOSTS)}
    if host in own or "*" in own or any(h and h.startswith(".") and f".{host}".endswith(h) for h in own):
        return "is a host of the portal itself"
    if settings.SECURE_TLS and not origin.startswith("https://"):
        return "is not https, which the portal is: a browser would not show it in a page"
    return None


def usable() -> str | None:
    """The origin, or None: then no safe view is shown anywhere."""
    return str(settings.PORTAL_EVIDENCE_ORIGIN) or None if fault() is None else None


def netloc() -> str | None:
    """As a browser names it in `Host`."""
    origin = usable()
    return urlsplit(origin).netloc if origin else None
