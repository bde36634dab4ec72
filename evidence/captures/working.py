"""One worker's turn: claim a file, let the jailed reader look at it, check what it answered, keep it by digest.

Pictures first, the reading that names them next, the row last: a crash in between leaves objects that nothing refers to, and
the next attempt writes the same bytes again.
"""

import logging
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django.conf import settings

import evidence.verification
from evidence.runs.jail import Jail, JailResult, Limits
from portal.vault import Vault

from . import queue
from .capture import BLOBS_TOTAL_MAX, DOCUMENT_MAX, Reading, ReadingFault, ViewKind, unpack
from .models import FileReading

log = logging.getLogger(__name__)

ENTRY = "evidence.captures.reading:read"
ENTRY_WITHOUT_PICTURES = "evidence.captures.reading:read_without_pictures"
LIMITS = Limits(
    memory_bytes=1 << 30,  # a picture of IMAGE_MAX_PIXELS has 268 MB in colour, and is copied once
    cpu_seconds=40,
    cpu_seconds_per_100_mb=8,
    wall_factor=1,  # both ways of reading must fit into the time limit of a task
    output_bytes=DOCUMENT_MAX + BLOBS_TOTAL_MAX,
)
_PNG = b"\x89PNG\r\n\x1a\n"
_STORE = Path(evidence.verification.__path__[0], "anchors")
"""The jail lets a child read one directory for trust; the reader needs none, and gets the one that everybody may read."""


def work_once() -> bool:
    """Take one file and carry this attempt to its end. True when there was one."""
    return queue.READINGS.work_once(_read)


def _read(row: FileReading) -> str:
    vault = Vault(settings.PORTAL_VAULT_DIR)
    found = look(vault.path(row.sha256), sha256=row.sha256)
    if isinstance(found, str):
        return found
    reading, blobs = found
    for blob in blobs.values():
        vault.put_bytes(blob)
    stored = vault.put_bytes(reading.to_bytes())
    queue.READINGS.finish(row, reading_sha256=stored.sha256, captures=len(reading.captures))
    return ""


def look(path: Path, *, sha256: str) -> tuple[Reading, dict[str, bytes]] | str:
    """The reading of one file and its pictures, made in the jail; or why the reader was stopped on it, twice."""
    first = _answer(_jail(ENTRY), path, sha256)
    if not isinstance(first, str):
        return first
    log.warning("%s: the reader was stopped (%s), once more without pictures", sha256, first)
    second = _answer(_jail(ENTRY_WITHOUT_PICTURES), path, sha256)
    return first if isinstance(second, str) else second


def _answer(jail: Jail, path: Path, sha256: str) -> tuple[Reading, dict[str, bytes]] | str:
    result: JailResult = jail.run([("file", path)], trust_dir=_STORE, at=datetime.now(UTC), limits=LIMITS)
    if result.verdict_json is None:
        return f"{result.killed}: {result.detail}"
    try:
        reading, blobs = unpack(result.verdict_json)
    except ReadingFault as fault:
        log.error("%s: the jailed reader answered nonsense: %s", sha256, fault)
        return "CRASH: the answer is no reading"
    if any(c.place.file_sha256 != sha256 for c in reading.captures):
        return "CRASH: a reading of something else"
    if any(v.kind is not ViewKind.SAFE_HTML and not blobs[v.sha256].startswith(_PNG) for v in reading.views):
        return "CRASH: a picture that is none"
    return reading, blobs


@cache
def _jail(entry: str) -> Jail:
    """One zygote per process and way of reading; the second is only started when it is needed."""
    return Jail(weak=settings.PORTAL_WEAK_JAIL, entry=entry)
