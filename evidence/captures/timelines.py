"""Time lines from the rows of the database: of one file for the page that compares two, and the page over a whole case."""

import json
from collections.abc import Sequence
from typing import Any

from evidence.exhibits.models import Exhibit, ExhibitFile
from evidence.runs.models import RunVerdict

from . import timeline
from .capture import Capture
from .timeline import Track


def track_of(
    exhibit: Exhibit,
    file: ExhibitFile,
    verdict: RunVerdict | None,
    *,
    captures: Sequence[Capture] = (),
    text: bool = False,
    label: str = "",
) -> Track:
    """The times of one file; `timeline.of_two(left, right)` puts two beside each other for `_timeline.html`.

    verdict    the newest that the person may read (`kept.newest_verdict`), None without one
    captures   the capture that is compared, or all of the file
    text       may the person see the content (`evidence.view_content`)?
    label      "" for the exhibit's label and the file's name
    """
    document: Any = json.loads(bytes(verdict.document)) if verdict else None
    return timeline.track(
        label or f"{exhibit.label} · {file.name}",
        name=file.name,
        sha256=file.sha256,
        document=document,
        captures=captures,
        text=text,
        received=exhibit.submitted_at,
    )
