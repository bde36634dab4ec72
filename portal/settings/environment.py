"""The only place that reads the environment. Every name carries the prefix PORTAL_; secrets may come from NAME_FILE."""

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """PORTAL_<name>, else the content of the file PORTAL_<name>_FILE, else the default; without one, an error."""
    value = os.environ.get(f"PORTAL_{name}")
    if value is not None:
        return value
    file = os.environ.get(f"PORTAL_{name}_FILE")
    if file:
        return Path(file).read_text(encoding="utf-8").strip()
    if default is None:
        raise ImproperlyConfigured(f"set PORTAL_{name} (or PORTAL_{name}_FILE)")
    return default


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value not in {"0", "1", "true", "false", "yes", "no"}:
        raise ImproperlyConfigured(f"PORTAL_{name} must be 1 or 0")
    return value in {"1", "true", "yes"}


def number(name: str, default: int) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit():
        raise ImproperlyConfigured(f"PORTAL_{name} must be a whole number")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    return [w for w in text(name, default).replace(",", " ").split() if w]


def database(url: str) -> dict[str, object]:
    """postgresql://user:password@host:port/name, or …/name?host=/socket/directory -> Django's DATABASES entry."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured("the database must be PostgreSQL (postgresql://…)")
    query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "portal",
        "USER": unquote(parts.username or query.pop("user", "")),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or "") or query.pop("host", ""),
        "PORT": str(parts.port or query.pop("port", "")),
        "OPTIONS": query,
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
