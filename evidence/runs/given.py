"""What a run hands to the engine: the files of the exhibit, and beside them what the court itself obtained from its nodes.

The exhibit is never touched by the latter: its files keep their bytes, digests and rows. In the verdict both stand among the sources,
told apart by their labels: those of the court begin with `court-node/`, and no label of a party's file does, whatever its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evidence.exhibits.models import ExhibitFile

from .models import Run, RunSource

COURT = "court-node/"
"""Kept for what the court obtained; the engine knows its record of questions by such a name (`chains.court_node`)."""


@dataclass(frozen=True, slots=True)
class Given:
    """One source: its label, and where its bytes lie in the vault."""

    name: str
    size: int
    sha256: str
    sm3: str


def sources(run_id: int) -> list[Given]:
    """All sources of a run."""
    files = ExhibitFile.objects.filter(exhibit__runs__pk=run_id)
    own = [Given(party_label(f.name), f.size, f.sha256, f.sm3) for f in files]
    return own + [_of(s) for s in RunSource.objects.filter(run_id=run_id)]


def obtained(run: Run) -> list[Given]:
    """What the run of this exhibit with this number had of the court."""
    return [_of(s) for s in RunSource.objects.filter(run__exhibit=run.exhibit, run__number=run.number)]


def attach(run: Run, given: Sequence[Given]) -> None:
    """Write down what a run that is being queued gets of the court."""
    RunSource.objects.bulk_create(
        RunSource(run=run, position=n, name=g.name, size=g.size, sha256=g.sha256, sm3=g.sm3)
        for n, g in enumerate(given, start=1)
    )


def party_label(name: str) -> str:
    """The label of a party's file: its name as received, unless that would look like something of the court's.

    court-node/manifest.json -> court-node／manifest.json
    """
    if name.strip().casefold().startswith(COURT.rstrip("/")):
        return name.replace("/", "\N{FULLWIDTH SOLIDUS}")
    return name


def _of(source: RunSource) -> Given:
    return Given(source.name, source.size, source.sha256, source.sm3)
