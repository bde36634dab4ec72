"""Readings that are done, taken from the vault, and what the newest verdict proves of the files they are of."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings

from cases.access import visible_to
from evidence.exhibits.models import Exhibit, ExhibitFile
from evidence.runs.models import Run, RunVerdict
from portal.people.models import User
from portal.vault import Vault

from . import queue
from .capture import READER, Capture, Reading, View, ViewKind
from .models import FileReading

KEPT_IN_MEMORY = 8
"""Readings of this process that are not parsed again: each page of one asks for the same bytes, which never change."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One file of an exhibit and how far its reading has come. `row` None: not yet in the queue."""

    file: ExhibitFile
    row: FileReading | None

    @property
    def state(self) -> str:
        return self.row.state if self.row else FileReading.State.QUEUED

    @property
    def waiting(self) -> bool:
        return self.state in (FileReading.State.QUEUED, FileReading.State.RUNNING)

    @property
    def parked(self) -> bool:
        return self.state == FileReading.State.PARKED

    @property
    def may_be_repeated(self) -> bool:
        return self.row is not None and self.parked and self.row.reader == READER and self.row.turn < queue.TURNS_MAX

    @property
    def too_much(self) -> bool:
        return self.row is not None and self.row.fault.startswith(("RESOURCE_LIMIT", "TIMEOUT"))

    @property
    def reading(self) -> Reading | None:
        return stored(self.row.reading_sha256) if self.row and self.state == FileReading.State.DONE else None

    @property
    def captures(self) -> Sequence[Capture]:
        reading = self.reading
        return reading.captures if reading else ()

    @property
    def notes(self) -> Sequence[str]:
        reading = self.reading
        return reading.notes if reading else ()

    @property
    def main(self) -> Capture | None:
        """What stands for the file: its first page or picture that shows something; a recorder may begin with an empty frame."""
        return next((c for c in self.captures if c.has_words or c.views and c.views[0].kind is not ViewKind.SAFE_HTML), next(iter(self.captures), None))

    @property
    def picture(self) -> tuple[int, int, View] | None:
        """(number of the capture, number of the picture, picture) to stand for the file: its screenshot, else a printed page."""
        every = [
            (n, k, v)
            for n, c in enumerate(self.captures, start=1)
            for k, v in enumerate(c.views, start=1)
            if v.kind is not ViewKind.SAFE_HTML
        ]
        return next((p for p in every if p[2].kind is ViewKind.SCREENSHOT), every[0] if every else None)


def of_files(files: Iterable[ExhibitFile]) -> list[Shown]:
    """One question to the database, however many files. Until this reader has read a file, what an earlier one found is shown."""
    listed = list(files)
    by_digest: dict[str, FileReading] = {}
    for row in FileReading.objects.filter(sha256__in={f.sha256 for f in listed}).order_by("pk"):
        known = by_digest.get(row.sha256)
        if known is None or row.state == FileReading.State.DONE or known.state != FileReading.State.DONE:
            by_digest[row.sha256] = row
    return [Shown(f, by_digest.get(f.sha256)) for f in listed]


@lru_cache(maxsize=KEPT_IN_MEMORY)
def stored(sha256: str) -> Reading:
    """Raises the vault's `Missing` when the bytes are gone."""
    with Vault(settings.PORTAL_VAULT_DIR).open(sha256) as stream:
        return Reading.from_bytes(stream.read())


# ── what is proven of the file ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Proven:
    """What the newest verdict that this person may see says of one file. `not_after` None: no time of it is proven.

    number, at   which verification, and as of when
    anchor       the last thing of a walk that reached an anchor of the court, "" where none does
    """

    overall: str
    grade: str
    number: int
    at: datetime
    not_after: datetime | None
    source: str
    anchor: str


def newest_verdict(user: User, exhibit: Exhibit) -> RunVerdict | None:
    """Of the runs whose result this person may read."""
    runs = visible_to(user, Run.objects.filter(exhibit=exhibit, state=Run.State.DONE))
    run = runs.select_related("verdict").order_by("-number").first()
    return run.verdict if run else None


def newest_verdicts(user: User, exhibits: Iterable[Exhibit]) -> dict[int, RunVerdict]:
    """The same for many exhibits, by their key: one question to the database."""
    runs = visible_to(user, Run.objects.filter(exhibit__in=list(exhibits), state=Run.State.DONE))
    newest = runs.select_related("verdict").order_by("exhibit_id", "-number").distinct("exhibit_id")
    return {run.exhibit_id: run.verdict for run in newest}


def proven(verdict: RunVerdict | None, sha256: str) -> Proven | None:
    """None when there is no verdict, or none that this person may read."""
    if verdict is None:
        return None
    document: Any = json.loads(bytes(verdict.document))
    walks = [w for w in document["walk"] if w["sha256"] == sha256 and w["complete"] and w["steps"]]
    timed = sorted((w for w in walks if w["time"]), key=lambda w: str(w["time"]["not_after"]))
    walk = timed[0] if timed else walks[0] if walks else None
    return Proven(
        overall=verdict.overall,
        grade=walk["grade"] if walk else verdict.grade,
        number=verdict.run.number,
        at=verdict.at,
        not_after=_moment(walk["time"]["not_after"]) if walk and walk["time"] else None,
        source=walk["source"] if walk else "",
        anchor=walk["steps"][-1]["to"]["label"] if walk else "",
    )


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
