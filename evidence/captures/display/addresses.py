"""One-time addresses of safe views: bound to exhibit (and so to its case), person and blob; good for one use within DISPLAY_URL_TTL.

An address is a random number under the portal's signature: one that was tampered with or is too old is turned away without a
question to the database. That it is used once is one UPDATE of its row, which only the first of any number of workers
carries out, by the database's own clock.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.db.models.functions import Now

from cases.access import may, visible_to
from evidence.exhibits.models import Exhibit
from portal.ledger.entries import record
from portal.people.models import User

from ..capture import BLOB_MAX
from .models import Address

DISPLAY_URL_TTL = timedelta(minutes=5)
TOKEN_MAX = 200
_SALT = "evidence.captures.display"


@dataclass(frozen=True, slots=True)
class Shown:
    """Which capture of which file is to be looked at, and its view."""

    exhibit: Exhibit
    position: int
    number: int
    blob_sha256: str


def issue(shown: Shown, *, to: User) -> str:
    """A token for one look. The caller has asked for the right to the content; the act is in the book."""
    nonce = secrets.token_urlsafe(24)
    with transaction.atomic():
        Address.objects.create(
            nonce_sha256=_digest(nonce),
            exhibit=shown.exhibit,
            user=to,
            position=shown.position,
            number=shown.number,
            blob_sha256=shown.blob_sha256,
        )
        params = {"exhibit": str(shown.exhibit.public_id), "position": shown.position, "number": shown.number}
        record("evidence.show", actor=to, case=shown.exhibit.case, subject_digest=shown.blob_sha256, params=params)
    return TimestampSigner(salt=_SALT).sign(nonce)


def redeem(token: str) -> str | None:
    """The digest of the view, once; None for a token that is used, too old, tampered with, or whose holder lost the right."""
    if len(token) > TOKEN_MAX:
        return None
    try:
        nonce = TimestampSigner(salt=_SALT).unsign(token, max_age=DISPLAY_URL_TTL)
    except BadSignature:
        return None
    rows = Address.objects.filter(nonce_sha256=_digest(nonce))
    if not rows.filter(used_at=None, issued_at__gt=Now() - DISPLAY_URL_TTL).update(used_at=Now()):
        return None
    row = rows.select_related("user").get()
    exhibit = visible_to(row.user, Exhibit.objects.select_related("case__court")).filter(pk=row.exhibit_id).first()
    if not row.user.is_active or exhibit is None or not may(row.user, "evidence.view_content", exhibit):
        return None
    return row.blob_sha256


def whole(blob: bytes, sha256: str) -> bool:
    """What the vault gave is what was made."""
    return len(blob) <= BLOB_MAX and hashlib.sha256(blob).hexdigest() == sha256


def _digest(nonce: str) -> str:
    return hashlib.sha256(nonce.encode()).hexdigest()
