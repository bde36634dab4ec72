"""What the page of an exhibit shows of its captures: how far the reading has come, one card, one picture, and the way to the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from evidence.exhibits.models import Exhibit, ExhibitFile
from evidence.runs.models import RunVerdict

from . import alarms, card, kept


@dataclass(frozen=True, slots=True)
class Section:
    """`entries`: each file, the beginning of its card, and what is to be said of its reading."""

    files: list[kept.Shown]
    cards: dict[int, list[card.Line]]

    @property
    def entries(self) -> list[tuple[kept.Shown, list[card.Line], list[str]]]:
        return [(s, self.cards.get(s.file.position, []), [card.note(n) for n in s.notes]) for s in self.files]

    @property
    def alarms(self) -> list[tuple[ExhibitFile, alarms.Alarm]]:
        """Where what a file says of its captures does not go together."""
        return [(s.file, a) for s in self.files for a in alarms.of_captures(s.captures)]

    @property
    def waiting(self) -> bool:
        return any(s.waiting for s in self.files)

    @property
    def any_text(self) -> bool:
        return any(c.text for s in self.files for c in s.captures)

    @property
    def worth_showing(self) -> bool:
        """Not where every file was read and none shows anything: certificates and proofs have no pages."""
        return any(s.captures or s.waiting or s.parked or set(s.notes) - {"NOTHING_TO_SHOW"} for s in self.files)


def section(exhibit: Exhibit, files: Sequence[ExhibitFile], verdict: RunVerdict | None) -> Section:
    """`verdict`: the newest that the person may read. One question to the database, however many files."""
    shown = kept.of_files(files)
    cards = {
        s.file.position: [x for x in card.lines(s.main, kept.proven(verdict, s.file.sha256)) if x.brief] for s in shown if s.main is not None
    }
    return Section(shown, cards)
