"""A file that somebody shows at the door: is it one of this court's reports, what became of it since, and what does the ledger say?

1. Its digest is that of a revision: these are the court's bytes, and the register answers.
2. It begins with a revision: the court's bytes are in it, and something was added behind them.
3. Otherwise the engine looks at its signatures, in the jail, trusting nothing but the court's own seals.

The register decides, never the file: a seal of this court on bytes that the register does not know is no report of this court.
"""

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.conf import settings

from evidence.runs.jail import Jail, JailError, Limits
from evidence.trust import contents
from evidence.verification.codecs import strict_json
from portal.ledger import checkpoints, entries, tree
from portal.ledger.models import Checkpoint, Detail

from .models import Report, Revision

FILE_MAX = 64 << 20
"""Bytes of a file; a report of a thousand exhibits in volumes has some MB."""
ENDS_MAX = 200
"""Ends of revisions (`%%EOF`) in one file that are looked at; ours have fewer than ten."""
LIMITS = Limits(memory_bytes=1 << 30, cpu_seconds=30, cpu_seconds_per_100_mb=60)
SHOWN = "report.pdf"
"""What the engine is told that the file is called."""
_BLOCK = 1 << 20
_END = re.compile(rb"%%EOF(?:\r\n|\n|\r)?")
_LONGEST_END = len(b"%%EOF\r\n")
ACTS = ("report.sign", "report.revise")
"""Of the ledger: the acts that make a revision."""
UNBROKEN = ("SIG.BYTERANGE", "SIG.INTACT", "SIG.MODIFIED", "SIG.VISUAL")
"""What a seal must have passed to be called unbroken; a check that was not answered is not passed."""
KNOWN = (Report.State.SIGNED, Report.State.RELEASED, Report.State.SUPERSEDED, Report.State.REVOKED)


class Busy(RuntimeError):
    """The third step is at work on another file."""


class Kind(StrEnum):
    ISSUED = "ISSUED"
    EXTENDED = "EXTENDED"
    """Begins with a report of this court; something was added."""
    SEALED_UNKNOWN = "SEALED_UNKNOWN"
    """A seal of this court, unbroken, on bytes that were never issued: the court must look into it."""
    BROKEN = "BROKEN"
    """A seal of this court that does not fit the bytes."""
    NOT_OURS = "NOT_OURS"
    UNREADABLE = "UNREADABLE"
    """Too large or too involved to be looked at here, or no PDF."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The act of signing in the ledger. `size` and `index` of the newest signed head that has it, None until there is one.

    refuted   the act is not the leaf it stands beside, or its proof does not lead to the signed head: somebody wrote into the tables
    """

    at: datetime
    index: int | None
    size: int | None
    refuted: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """`added`: bytes behind the court's. `checks`: (field, check, outcome) of what the engine found in a file that is not ours as it is."""

    kind: Kind
    sha256: str
    revision: Revision | None = None
    added: int = 0
    recorded: Recorded | None = None
    checks: tuple[tuple[str, str, str], ...] = ()


def look(path: Path, *, alone: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(True)) -> Looked:
    """JailError when the third step could not be done here; Busy when `alone`, asked before it, says that it is not its turn.
    What the register knows is answered at once, whoever keeps the engine busy."""
    size = path.stat().st_size
    whole, prefixes = _digests(path)
    digests = {digest: end for end, digest in prefixes}
    known = {
        r.sha256: r
        for r in Revision.objects.filter(sha256__in={whole, *digests}, report__state__in=KNOWN).select_related("report")
    }
    if whole in known:
        return Looked(Kind.ISSUED, whole, known[whole], recorded=recorded(whole))
    if known:
        longest = max(known, key=lambda digest: digests[digest])
        return Looked(Kind.EXTENDED, whole, known[longest], added=size - digests[longest], recorded=recorded(longest))
    with alone() as mine:
        if not mine:
            raise Busy
        return _sealed(path, whole)


def recorded(sha256: str) -> Recorded | None:
    """When the ledger took up these bytes, with a proof that was just checked against its newest signed head."""
    detail = Detail.objects.filter(subject=sha256, act__in=ACTS).select_related("entry").order_by("entry_id").first()
    if detail is None:
        return None
    entry, head = detail.entry, Checkpoint.objects.order_by("-size").first()
    leaf = tree.leaf_hash(entries.leaf_of(detail))
    if leaf != bytes(entry.leaf_hash):
        return Recorded(detail.at, entry.leaf_index, None, refuted=True)
    if entry.leaf_index is None or head is None or head.size <= entry.leaf_index:
        return Recorded(detail.at, entry.leaf_index, None)
    path = checkpoints.inclusion_proof(entry.leaf_index, head.size)
    included = tree.verify_inclusion(leaf, index=entry.leaf_index, size=head.size, path=path, expected_root=bytes(head.root))
    return Recorded(detail.at, entry.leaf_index, head.size if included else None, refuted=not included)


def _digests(path: Path) -> tuple[str, list[tuple[int, str]]]:
    """SHA-256 of the file, and of what stands before each end of a revision in it: (length, digest). One pass."""
    whole, found, done, carried = hashlib.sha256(), [], 0, b""
    with path.open("rb") as stream:
        more = True
        while more:
            block = stream.read(_BLOCK)
            more = bool(block)
            data = carried + block
            # An end may lie across two blocks: the last bytes wait for the next one.
            last = max(0, len(data) - _LONGEST_END) if more else len(data)
            start = 0
            for end in _ends(data, last):
                whole.update(data[start:end])
                start = end
                if len(found) < ENDS_MAX:
                    found.append((done + end, whole.hexdigest()))
            keep = max(start, last)
            whole.update(data[start:keep])
            done, carried = done + keep, data[keep:]
    return whole.hexdigest(), found


def _ends(data: bytes, last: int) -> Iterator[int]:
    """Where a revision may end: after the mark, and after the line break behind it."""
    for match in _END.finditer(data):
        if match.start() >= last:
            return
        yield match.start() + 5
        if match.end() > match.start() + 5:
            yield match.end()


def _sealed(path: Path, sha256: str) -> Looked:
    with path.open("rb") as stream:
        if path.stat().st_size > FILE_MAX or b"%PDF-" not in stream.read(1024):
            return Looked(Kind.UNREADABLE, sha256)
    with tempfile.TemporaryDirectory() as place, Jail(weak=settings.PORTAL_WEAK_JAIL) as jail:
        pack = seals(Path(place, "pack"))
        answer = jail.run([(SHOWN, path)], trust_dir=pack, at=datetime.now(UTC), limits=LIMITS)
    if answer.verdict_json is None:
        return Looked(Kind.UNREADABLE, sha256)
    try:
        found = _findings(strict_json.loads(answer.verdict_json))
    except (strict_json.JsonError, KeyError, TypeError, AttributeError):  # a child that hostile bytes took over answers what it likes
        return Looked(Kind.UNREADABLE, sha256)
    ours = {field for field, check, outcome in found if check == "SIG.CHAIN" and outcome == "PASSED"}
    if not ours:
        return Looked(Kind.NOT_OURS, sha256)
    # A time-stamp over the seal covers what the seal itself does not: refuted, it breaks the file no less.
    kept = (c for c in found if c[0] in ours or c[2] == "FAILED")
    checks = tuple(sorted(kept, key=lambda c: (c[2] != "FAILED", c[2] == "PASSED")))  # on a telephone one sees the first only
    whole = all((field, check, "PASSED") in checks for field in ours for check in UNBROKEN) and not any(c[2] == "FAILED" for c in checks)
    return Looked(Kind.SEALED_UNKNOWN if whole else Kind.BROKEN, sha256, checks=checks)


def _findings(verdict: Any) -> list[tuple[str, str, str]]:
    """(field, check, outcome) of all that concerns signatures."""
    return [(_field(f["subject"]), f["check"], f["outcome"]) for f in verdict["findings"] if f["check"].startswith(("SIG.", "TIME."))]


def _field(subject: str) -> str:
    """The engine tells fields apart, but the file names them: the mark behind its own name may stand in theirs as well."""
    return subject.removeprefix(f"{SHOWN} · ")


def seals(folder: Path, *, people: bool = False) -> Path:
    """A trust store of the court's own seals and of the roots of its time-stamps, and nothing else; keys stay where they are.

    people   the personal certificates of its staff as well: for judging a report, not for asking whose seal a file bears
    """
    keys = Path(settings.PORTAL_SIGNING_DIR)
    members = {f"seals/certs/{p.name}": p.read_bytes() for p in sorted((keys / "seals").glob("*.pem"))}
    if people:
        members |= {f"seals/certs/person-{n:04d}.pem": p.read_bytes() for n, p in enumerate(sorted((keys / "people-certs").glob("*.pem")))}
    members |= {f"tsa/certs/{p.name}": p.read_bytes() for p in sorted((keys / "roots").glob("*.pem"))}
    members |= {f"seals/crls/{p.name}": p.read_bytes() for p in sorted((keys / "crls").glob("*.crl"))}
    head = {"version": "seals", "issued_at": "1970-01-01T00:00:00Z", "court": {"zh": "本院", "en": "this court"}, "demonstration": False}
    origins = {path: contents.Origin("the court's signing directory", "1970-01-01T00:00:00Z") for path in members}
    pack = contents.made(head, members, origins)
    folder.mkdir()
    for name, data in {contents.MANIFEST: pack.manifest, **pack.members}.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return folder


__all__ = ["FILE_MAX", "Busy", "JailError", "Kind", "Looked", "Recorded", "look", "recorded", "seals"]
