"""Known answers that the engine checks on itself: published examples and real chain data, never values computed by this code.

One module per family, named in `FAMILIES`, with two constants:

    FORMATS   names in the registry of the formats that rest on these answers; None: every format does
    CASES     name of the case -> a function that says whether the engine gives the known answer

They run once per process, before the first verdict on a format that rests on them. A family that fails is not examined: its
files end in `SELFTEST_FAILED`, which is never a pass. What was run and what failed stands in every verdict; a report needs all of
them. `python -m evidence.verification.selftest` runs every family and says how it went.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import cast

FAMILIES: tuple[str, ...] = ("primitives", "signatures", "keccak", "xuperchain", "pdf", "fabric", "fisco2", "fisco3", "chainmaker")


@dataclass(frozen=True, slots=True)
class SelfTest:
    """`failed` names the cases that gave another answer, as `family: case`; a report is not issued unless it is empty.

    formats   names of the formats that may not be examined; None: none of them may
    """

    vectors: int
    failed: tuple[str, ...]
    formats: frozenset[str] | None = frozenset()

    @property
    def passed(self) -> int:
        return self.vectors - len(self.failed)

    def blocks(self, format_name: str) -> bool:
        return self.formats is None or format_name in self.formats

    def as_dict(self) -> dict[str, object]:
        return {"vectors": self.vectors, "failed": list(self.failed)}


def run(formats: Iterable[str] | None = None) -> SelfTest:
    """The known answers on which these formats rest, or all that there are."""
    wanted = None if formats is None else frozenset(formats)
    names = [n for n in FAMILIES if wanted is None or (rests := formats_of(n)) is None or wanted & rests]
    parts = [_family(name) for name in names]
    blocked: frozenset[str] | None = frozenset()
    for part in parts:
        blocked = None if blocked is None or part.formats is None else blocked | part.formats
    return SelfTest(sum(p.vectors for p in parts), tuple(f for p in parts for f in p.failed), blocked)


def formats_of(name: str) -> frozenset[str] | None:
    formats = cast("tuple[str, ...] | None", import_module(f".{name}", __name__).FORMATS)
    return None if formats is None else frozenset(formats)


@cache
def _family(name: str) -> SelfTest:
    cases = cast(Mapping[str, Callable[[], bool]], import_module(f".{name}", __name__).CASES)
    failed = []
    for case, holds in cases.items():
        try:
            if holds() is not True:
                failed.append(f"{name}: {case}")
        except Exception as fault:  # a case that cannot run has failed
            failed.append(f"{name}: {case} ({type(fault).__name__})")
    return SelfTest(len(cases), tuple(failed), formats_of(name) if failed else frozenset())
