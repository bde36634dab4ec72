"""The signatures of an exhibit as of receipt and as of now, for the judge's page: two verdicts and what differs between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import cached_property

from evidence.runs import receipt
from evidence.runs.models import Run

from . import words
from .models import Exhibit
from .reading import Answer, Reading


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two verdicts: when, under which store, how it ended."""

    number: int
    at: datetime
    overall: str
    grade: str
    trust: Mapping[str, Any]

    @property
    def beijing(self) -> str:
        return words.beijing(self.at)


@dataclass(frozen=True, slots=True)
class Difference:
    """One question on one signature with both answers; None: it was not asked."""

    then: Answer | None
    now: Answer | None

    @property
    def shown(self) -> Answer | None:
        return self.now or self.then


class TwoTimes:
    """`first` is the first verdict, `last` the newest with its reading; they may be the same."""

    def __init__(self, exhibit: Exhibit, first: Run, last: Run, reading: Reading) -> None:
        self._exhibit, self._first, self._last, self._reading = exhibit, first, last, reading

    @cached_property
    def _before(self) -> Reading:
        if self._first.pk == self._last.pk:
            return self._reading
        stored = bytes(self._first.verdict.document)
        return Reading(stored, language=self._reading.language, declared=self._reading.declared)

    @property
    def at_receipt(self) -> bool:
        """Was the first verdict reached as of receipt? Runs of an earlier state of the portal took the moment they were made."""
        return bool(self._first.verdict.at == self._exhibit.submitted_at)

    @property
    def then(self) -> Side:
        return _side(self._first, self._before)

    @property
    def now(self) -> Side | None:
        """None: it has not been verified again."""
        return None if self._first.pk == self._last.pk else _side(self._last, self._reading)

    @cached_property
    def differences(self) -> list[Difference]:
        then, now = self._before, self._reading
        pairs = receipt.differing(then.document["findings"], now.document["findings"])
        return [
            Difference(then.answers[a] if a is not None else None, now.answers[b] if b is not None else None) for a, b in pairs
        ]


def _side(run: Run, reading: Reading) -> Side:
    return Side(run.number, run.verdict.at, reading.overall, reading.grade, reading.document["trust"])
