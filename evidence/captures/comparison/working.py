"""One worker's turn: claim a pair, let the jail compare it, check what it answered, keep it by digest.

Pictures first, the result that names them next, the row last, as `evidence.captures.working` does.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django.conf import settings

import evidence.verification
from evidence.runs.jail import Jail, Limits
from portal.vault import Vault

from ..capture import BLOB_MAX
from . import queue
from .models import ComparedPair
from .result import DOCUMENT_MAX, PictureResult, ResultFault, TextResult, unpack

log = logging.getLogger(__name__)

ENTRIES = {
    ComparedPair.What.TEXTS: "evidence.captures.comparison.jailed:compare_texts",
    ComparedPair.What.PICTURES: "evidence.captures.comparison.jailed:compare_pictures",
}
LIMITS = Limits(
    memory_bytes=3 << 29,  # two pictures of 1,400 × 16,000 in colour and what is made of them take 600 MB, numpy and scipy 200 MB
    cpu_seconds=60,  # measured: 7 s for two texts of 2 MB, 7 s for two pictures of the largest size
    wall_factor=2,
    output_bytes=DOCUMENT_MAX + 2 * BLOB_MAX + 24,
)
_STORE = Path(evidence.verification.__path__[0], "anchors")
"""The jail lets a child read one directory for trust; a comparison needs none, and gets the one that everybody may read."""


def work_once() -> bool:
    """Take one pair and carry this attempt to its end. True when there was one."""
    return queue.COMPARISONS.work_once(_compare)


def _compare(row: ComparedPair) -> str:
    found = look(queue.pair_of(row))
    if isinstance(found, str):
        return found
    vault = Vault(settings.PORTAL_VAULT_DIR)
    result, blobs = found
    for blob in blobs.values():
        vault.put_bytes(blob)
    queue.COMPARISONS.finish(row, result_sha256=vault.put_bytes(result.to_bytes()).sha256)
    return ""


def look(pair: queue.Pair) -> tuple[TextResult | PictureResult, dict[str, bytes]] | str:
    """The result for a pair and its pictures, made in the jail; or why the comparison was stopped."""
    vault = Vault(settings.PORTAL_VAULT_DIR)
    files = [(str(item.number), vault.path(item.sha256)) for item in (pair.left, pair.right)]
    answer = _jail(ENTRIES[ComparedPair.What(pair.what)]).run(files, trust_dir=_STORE, at=datetime.now(UTC), limits=LIMITS)
    if answer.verdict_json is None:
        return f"{answer.killed}: {answer.detail}"
    try:
        document, blobs = unpack(answer.verdict_json)
        if pair.what == ComparedPair.What.TEXTS:
            result: TextResult | PictureResult = TextResult.from_bytes(document)
            named: set[str] = set()
        else:
            result = picture = PictureResult.from_bytes(document)
            named = {picture.overlay, picture.difference}
        if blobs.keys() != named:
            raise ResultFault("other pictures than the result names")
    except ResultFault as fault:
        log.error("%s: the jailed comparison answered nonsense: %s", pair, fault)
        return "CRASH: the answer is no result"
    return result, blobs


@cache
def _jail(entry: str) -> Jail:
    """One zygote per process and kind of comparison; started when it is needed."""
    return Jail(weak=settings.PORTAL_WEAK_JAIL, entry=entry)
