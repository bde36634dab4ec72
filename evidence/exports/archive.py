"""Where archives lie: a directory outside the evidence store, because they are copies that may be lost, and are removed after some days.

    <public id>.<attempt>.zip            to be had
    <public id>.<attempt>.part           being written; `.bundle.part` beside it the bundle that is being made for it

An attempt writes under its own number, so one that lost its lease cannot touch what the next one made.
"""

import logging
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from django.conf import settings

from portal.vault import StoreFull

log = logging.getLogger(__name__)

RESERVE_BYTES = 1 << 30
"""What an export leaves free on the disk: the same disk may hold the evidence store, and evidence must still be received."""
_NAME = re.compile(r"([0-9a-f-]{36}\.\d+)\.(zip|part|bundle\.part)")


def directory() -> Path:
    found = Path(settings.PORTAL_EXPORT_DIR)
    found.mkdir(parents=True, exist_ok=True, mode=0o700)
    return found


def stem(public_id: UUID, attempt: int) -> str:
    return f"{public_id}.{attempt}"


def path(public_id: UUID, attempt: int, ending: str = "zip") -> Path:
    return Path(settings.PORTAL_EXPORT_DIR) / f"{stem(public_id, attempt)}.{ending}"


def demand_room(size: int) -> None:
    """Raises StoreFull when the disk would have less than RESERVE_BYTES left after `size` more bytes."""
    free = shutil.disk_usage(directory()).free
    if free < size + RESERVE_BYTES:
        raise StoreFull(f"{size} bytes wanted, {free} free, {RESERVE_BYTES} are kept free")


def publish(written: Path, final: Path) -> None:
    """Give a whole archive its name. Its bytes are on the disk then; a loss of power may still take the name, and it is exported again."""
    fd = os.open(written, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(written, final)


def tidy(*, keep: Callable[[], set[str]]) -> int:
    """Remove files of exports that are neither at work nor to be had. `keep` is asked after looking, so that what is begun
    meanwhile stays. How many were removed."""
    if not Path(settings.PORTAL_EXPORT_DIR).is_dir():
        return 0
    found = [(match[1], name) for name in os.listdir(settings.PORTAL_EXPORT_DIR) if (match := _NAME.fullmatch(name))]
    if not found:
        return 0
    kept, removed = keep(), 0
    for beginning, name in found:
        if beginning in kept:
            continue
        try:
            os.unlink(Path(settings.PORTAL_EXPORT_DIR) / name)
            removed += 1
        except FileNotFoundError:
            continue
        except OSError as fault:
            log.warning("export file %s could not be removed: %s", name, fault)
    return removed
