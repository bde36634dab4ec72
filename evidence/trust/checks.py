"""Start-up checks of the trust store in force. They ask the database, so they run where it is said to be there:
`manage.py check --database default`, `migrate`, `run_jobs`."""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, Warning
from django.db import DatabaseError

from evidence.verification.trust import TrustError, TrustStore

from . import certificates, packs, signing
from .models import Pack

PLATFORM_DAYS_MAX = 180
"""A platform's registration that nobody has looked at for so long is not to be relied on unseen (court-domain §8: half-yearly)."""


@checks.register("trust")
def places_and_keys(app_configs: Sequence[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """The first store does not lie where published packs are kept, and nobody else reads the key that signs them."""
    found: list[CheckMessage] = []
    if Path(settings.PORTAL_TRUST_DIR).resolve() == packs.shelf().resolve():
        found.append(
            Error(
                f"PORTAL_TRUST_DIR is {packs.shelf()}, where the portal keeps published packs.",
                hint="Move the first trust store into a folder of its own and set PORTAL_TRUST_DIR to it.",
                id="portal.E031",
            )
        )
    key = Path(settings.PORTAL_TRUST_KEY_DIR) / "pack.key"
    if key.exists() and key.stat().st_mode & 0o077:
        found.append(
            Error(
                f"The key that signs trust stores, {key}, can be read by other accounts.",
                hint=f"Run:  chmod 0600 {key}",
                id="portal.E032",
            )
        )
    return found


@checks.register(Tags.database)
def pack_in_force(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: object
) -> list[CheckMessage]:
    """The pack in force lies on disk as it was approved, under the court's signature; its platforms were looked at lately."""
    if not databases:
        return []
    try:
        in_use = packs.in_use()
    except DatabaseError:
        return []  # no tables yet
    except (TrustError, signing.KeyFault, OSError) as fault:
        return [
            Error(
                f"The court's trust store in force cannot be used: {fault}",
                hint="Nothing is verified until this is cured. docs/operate.md, \"Trust store\", tells how: a changed folder is moved away and\n"
                "\tthe portal writes it anew; a missing pack.vkey is put back into PORTAL_TRUST_KEY_DIR.",
                id="portal.E030",
            )
        ]
    found: list[CheckMessage] = []
    link = packs.shelf() / "in-force"
    if link.is_symlink() and not Pack.objects.filter(sha256=os.readlink(link)).exists():
        found.append(
            Warning(
                f"The trust store {os.readlink(link)} was published on this machine, and the database does not know it.",
                hint="A backup of the database was restored, or its history rewritten. Find out which before you rely on the store now in force.",
                id="portal.W005",
            )
        )
    if in_use.pack is None:
        found.append(
            Warning(
                f"The trust store in {in_use.directory} is used although no two people have approved it in the portal.",
                hint="Run:  manage.py trust_publish, or propose it on the portal's page 信任库 and let another person approve it.",
                id="portal.W002",
            )
        )
    if stale := [p.id for p in in_use.trust.platforms if is_stale(p.checked_on, today=datetime.now(UTC).date())]:
        found.append(
            Warning(
                f"Registrations of platforms were last looked at more than {PLATFORM_DAYS_MAX} days ago: {', '.join(stale)}",
                hint="Look each of them up, then propose the new date on the portal's page 信任库.",
                id="portal.W003",
            )
        )
    now = datetime.now(UTC)
    lists = [c for c in map(certificates.revocation_list, in_use.trust.revocation_lists) if c is not None and c.until is not None]
    if ended := [f"{c.common_name} ({c.until:%Y-%m-%d})" for c in lists if c.until and c.until < now]:
        found.append(
            Warning(
                f"Revocation lists in the trust store have run out: {', '.join(ended)}",
                hint="Fetch the authority's present list, then propose it on the portal's page 信任库.",
                id="portal.W004",
            )
        )
    return found


def is_stale(checked_on: str | None, *, today: date) -> bool:
    """Was the platform looked at too long ago, never, or on a day that is none?"""
    try:
        return checked_on is None or (today - date.fromisoformat(checked_on[:10])).days > PLATFORM_DAYS_MAX
    except ValueError:
        return True


def stale_platforms(trust: TrustStore, *, today: date) -> frozenset[str]:
    return frozenset(p.id for p in trust.platforms if is_stale(p.checked_on, today=today))
