"""How bytes come in: begun, grown part by part, looked at, sealed into the vault; or taken whole from a plain form.

An `Upload` row names the file, the vault's staging area holds its bytes. Both ways end in `_admit`: quarantine looks at the
complete staged bytes, then the vault seals them under the digest they must have. A file is refused whole or taken whole.
"""

import re
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Max, Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from evidence.exhibits.models import ExhibitFile
from portal.ledger.entries import record
from portal.people.models import User
from portal.vault import Busy, DigestMismatch, Missing, Stored, Vault
from portal.vault.disk import Digests, Readable

from . import limits, names, quarantine
from .models import Draft, Upload
from .sentences import Refused

State = Upload.State
MEDIA_TYPE = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,59}", re.ASCII)


class Unfinished(Exception):
    """The device says it is done, but `offset` bytes are here."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"{offset} bytes are here")
        self.offset = offset


class Closed(Exception):
    """The draft was submitted, or the upload was refused or removed: nothing can be added."""


def vault() -> Vault:
    return _vault_at(settings.PORTAL_VAULT_DIR)


@cache
def _vault_at(directory: Path) -> Vault:
    return Vault(directory)


def begin(
    draft: Draft, *, name: str, size: int, declared_type: str = "", head_sha256: str = ""
) -> tuple[Upload, bool]:
    """A new upload, or the unfinished one of the same file (same name, size and first part) to go on with.

    Returns the upload and whether it was there already. Raises Refused (a bound), Closed, StoreFull.
    """
    _clear_stale()
    kept = names.label(name)
    with transaction.atomic():
        # One upload of one person begins at a time: otherwise eight at once would each see room for one.
        User.objects.select_for_update().get(pk=draft.user_id)
        draft = Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk)
        if draft.exhibit_id is not None:
            raise Closed
        if head_sha256:
            same = draft.uploads.filter(
                state=State.ARRIVING, name=kept, size=size, head_sha256=head_sha256
            ).first()
            if same is not None:
                return same, True
        _check_bounds(draft, size=size)
        last = draft.uploads.aggregate(n=Max("position"))["n"] or 0
        upload = draft.uploads.create(
            position=last + 1,
            name=kept,
            size=size,
            declared_type=_media_type(declared_type),
            head_sha256=head_sha256,
        )
        vault().staging.open(upload.staging_id)
    return upload, False


def offset(upload: Upload) -> int:
    """How many bytes are here. Raises Closed when nothing more is expected."""
    if upload.state == State.ARRIVED:
        return upload.size
    if upload.state != State.ARRIVING or upload.draft.exhibit_id is not None:
        raise Closed
    staging = vault().staging
    try:
        return staging.offset(upload.staging_id)
    except Missing:
        # Sealed by another request that has not told the row yet? It holds the row until it has.
        with transaction.atomic():
            held = _held(upload)
            if held.state == State.ARRIVED:
                return held.size
            # The row outlived its bytes (a crash in the middle of sealing, a restored backup). Whoever knows a digest must
            # not be believed to have sent the file, so it has to be sent again.
            Upload.objects.filter(pk=upload.pk, state=State.ARRIVING).update(state=State.REMOVED)
    raise Closed


def append(upload: Upload, stream: Readable, *, at: int) -> int:
    """Add a part; the new offset. Raises Closed, and what `Staging.append` raises."""
    if upload.state != State.ARRIVING or upload.draft.exhibit_id is not None:
        raise Closed
    try:
        Upload.objects.filter(pk=upload.pk).update(touched_at=timezone.now())
        return vault().staging.append(upload.staging_id, stream, offset=at, limit=upload.size)
    except Missing as fault:
        raise Closed from fault


def finish(upload: Upload, *, sha256: str, sm3: str) -> Upload:
    """The device has sent everything and says what it hashed. Repeating it changes nothing.

    Raises Unfinished, Closed, Busy, Refused, StoreFull.
    """
    if upload.state == State.ARRIVED:
        if (upload.sha256, upload.sm3) != (sha256, sm3):
            raise Closed
        return upload
    here = offset(upload)
    if here != upload.size:
        raise Unfinished(here)
    return _admit(upload, sha256=sha256, sm3=sm3, on_device=True)


def take(draft: Draft, file: UploadedFile, *, name: str, sha256: str = "", sm3: str = "") -> Upload:
    """One whole file of a plain form; `sha256` and `sm3` when the device told them. Raises Refused, Closed, StoreFull."""
    digests = Digests()
    for chunk in file.chunks():
        digests.update(chunk)
    here = digests.finish()
    upload, _ = begin(draft, name=name, size=here.size, declared_type=file.content_type or "")
    if (sha256 and sha256 != here.sha256) or (sm3 and sm3 != here.sm3):
        _refuse(upload, "UPLOAD_CHANGED")
        raise Refused("UPLOAD_CHANGED")
    try:
        file.seek(0)
        append(upload, file, at=0)
        return _admit(upload, sha256=here.sha256, sm3=here.sm3, on_device=bool(sha256 and sm3))
    except Refused:
        raise
    except BaseException:
        remove(upload)
        raise


def remove(upload: Upload) -> None:
    """The person takes the file back out of the draft. Bytes still in the staging area go; the row stays for the bounds."""
    with transaction.atomic():
        _held(upload)
        _open_draft(upload)
        Upload.objects.filter(pk=upload.pk).update(state=State.REMOVED, touched_at=timezone.now())
        transaction.on_commit(partial(_discard, upload))


def _admit(upload: Upload, *, sha256: str, sm3: str, on_device: bool) -> Upload:
    """Quarantine, then seal, then the row, holding the row: of two requests that end the same upload the second finds it ended."""
    refused = None
    with transaction.atomic():
        held = _held(upload)
        if held.state == State.ARRIVED and (held.sha256, held.sm3) == (sha256, sm3):
            return held
        if held.state != State.ARRIVING:
            raise Closed
        try:
            examined, stored = _seal(held, sha256=sha256, sm3=sm3)
        except Refused as fault:
            refused = fault
            if refused.code != "UPLOAD_UNCHECKED":  # the scanner may answer next time; the bytes can wait
                _refuse(held, refused.code)
        else:
            _open_draft(held)
            held.state, held.sha256, held.sm3 = State.ARRIVED, stored.sha256, stored.sm3
            held.detected_type = examined.media_type
            held.warnings = [notice.as_json() for notice in examined.notices]
            if on_device:
                held.device_sha256, held.device_sm3 = sha256, sm3
            held.save()
    if refused is not None:
        raise refused
    return held


def _seal(upload: Upload, *, sha256: str, sm3: str) -> tuple[quarantine.Examined, Stored]:
    staging = vault().staging
    try:
        with staging.read(upload.staging_id) as file:
            examined = _examine(upload, file)
        stored = staging.seal(upload.staging_id, expected_sha256=sha256)
    except Missing as fault:
        raise Closed from fault
    except DigestMismatch as fault:
        raise Refused("UPLOAD_CHANGED") from fault
    if stored.sm3 != sm3:
        raise Refused("UPLOAD_CHANGED")
    return examined, stored


def _held(upload: Upload) -> Upload:
    """The row as it is now, held until the transaction ends. Locks are taken in this order: upload, draft, case."""
    return (
        Upload.objects.select_for_update(of=("self",))
        .select_related("draft__user", "draft__case")
        .get(pk=upload.pk)
    )


def _open_draft(upload: Upload) -> None:
    """Hold the draft too, and refuse when it was submitted."""
    if Draft.objects.select_for_update(of=("self",)).get(pk=upload.draft_id).exhibit_id is not None:
        raise Closed


def _examine(upload: Upload, file: BinaryIO) -> quarantine.Examined:
    return quarantine.examine(file, size=upload.size, name=upload.name, declared_type=upload.declared_type)


def _refuse(upload: Upload, code: str) -> None:
    """The row says why; the bytes go. A file that changed on its way is an act in the ledger: it may be an attack."""
    with transaction.atomic():
        Upload.objects.filter(pk=upload.pk, state=State.ARRIVING).update(
            state=State.REFUSED, refusal=code, touched_at=timezone.now()
        )
        if code == "UPLOAD_CHANGED":
            draft = upload.draft
            record(
                "evidence.mismatch",
                actor=draft.user,
                case=draft.case,
                params={"draft": str(draft.public_id), "upload": str(upload.public_id)},
            )
        transaction.on_commit(partial(_discard, upload))


def _discard(upload: Upload) -> None:
    try:
        vault().staging.discard(upload.staging_id)
    except (Missing, Busy):
        # Gone already, or a part is being written: that request finds the row closed, and `_clear_stale` comes by again.
        return


def _media_type(told: str) -> str:
    """What the browser told, if it looks like a media type at all; "" otherwise."""
    return told.lower() if MEDIA_TYPE.fullmatch(told) else ""


def _check_bounds(draft: Draft, *, size: int) -> None:
    if size == 0:
        raise Refused("UPLOAD_EMPTY")
    if size > settings.PORTAL_UPLOAD_MAX:
        raise Refused("UPLOAD_TOO_BIG", n=filesizeformat(settings.PORTAL_UPLOAD_MAX))
    if draft.uploads.filter(state__in=[State.ARRIVING, State.ARRIVED]).count() >= limits.FILES_MAX:
        raise Refused("UPLOAD_TOO_MANY", n=limits.FILES_MAX)
    mine = Upload.objects.filter(draft__user_id=draft.user_id)
    if mine.filter(state=State.ARRIVING).count() >= limits.OPEN_UPLOADS_MAX:
        raise Refused("UPLOAD_OPEN", n=limits.OPEN_UPLOADS_MAX)
    today = mine.filter(created_at__gte=timezone.now() - timedelta(days=1))
    begun = today.aggregate(bytes=Sum("size"))["bytes"] or 0
    if begun + size > limits.DAILY_BYTES_MAX or today.count() >= limits.DAILY_UPLOADS_MAX:
        raise Refused("UPLOAD_RATE")
    if draft.case_id is not None:
        held = ExhibitFile.objects.filter(exhibit__case_id=draft.case_id).aggregate(n=Sum("size"))["n"] or 0
        coming = Upload.objects.filter(
            draft__case_id=draft.case_id, draft__exhibit=None, state__in=[State.ARRIVING, State.ARRIVED]
        ).aggregate(n=Sum("size"))
        if held + (coming["n"] or 0) + size > settings.PORTAL_QUOTA_PER_CASE:
            raise Refused("UPLOAD_QUOTA", n=filesizeformat(settings.PORTAL_QUOTA_PER_CASE))


def _clear_stale() -> None:
    """A few long-forgotten uploads of anybody go each time somebody begins one: no scheduler to forget."""
    before = timezone.now() - timedelta(days=limits.STALE_DAYS)
    stale = Upload.objects.filter(state=State.ARRIVING, touched_at__lt=before).order_by("touched_at")
    for upload in stale[: limits.STALE_PER_REQUEST]:
        Upload.objects.filter(pk=upload.pk, state=State.ARRIVING).update(state=State.REMOVED)
        _discard(upload)
