"""Signatures as of receipt and as of now: two verdicts of one exhibit beside each other (spec signed-report §12).

The first verdict of an exhibit is reached as of its receipt (`queue.claim`): from that moment on the court's own register shows that the bytes
were there, whatever becomes of certificates later. It names the trust store with the revocation lists that the court had collected, and
published stores are kept for ever. Every later verdict is reached as of the moment it is made, under the store then in force. Moments and
stores are inputs of their runs and stand in the verdicts, so that each can be made again; here it is only told what differs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from evidence.exhibits.models import Exhibit
from evidence.verification.codecs import strict_json

from .models import Run, RunVerdict

Findings = Sequence[Mapping[str, Any]]


def verdict(exhibit: Exhibit) -> RunVerdict | None:
    """The verdict as of receipt: the first one of the exhibit."""
    return RunVerdict.objects.filter(run__exhibit=exhibit, run__state=Run.State.DONE).select_related("run").order_by("run__number").first()


def is_signed(document: Mapping[str, Any]) -> bool:
    """Is there a signature in the exhibit whose answers may change with time?"""
    return any(_concerns(f) for f in document["findings"])


def differing(then: Findings, now: Findings) -> list[tuple[int | None, int | None]]:
    """Places in both lists of the findings on signatures that have another outcome or reason, in the order of the later list; None where
    one has none. What is found of the same question and subject several times is paired in order."""
    before, after = _placed(then), _placed(now)
    found: list[tuple[int | None, int | None]] = []
    for key in [*after, *(k for k in before if k not in after)]:
        one, two = before.get(key), after.get(key)
        if one is None or two is None or _answer(then[one]) != _answer(now[two]):
            found.append((one, two))
    return found


def beside(exhibit: Exhibit, now: Mapping[str, Any]) -> dict[str, Any] | None:
    """The verdict as of receipt and what the later one, `now`, answers otherwise about signatures, for data."""
    first = verdict(exhibit)
    if first is None:
        return None
    then = strict_json.loads(bytes(first.document))
    before, after = then["findings"], now["findings"]
    differs = []
    for one, two in differing(before, after):
        known = after[two] if two is not None else before[one]
        differs.append(
            {
                "check": known["check"],
                "subject": known["subject"],
                "receipt": _said(before[one]) if one is not None else None,
                "now": _said(after[two]) if two is not None else None,
            }
        )
    return {
        "run_number": first.run.number,
        "at": then["at"],
        "overall": first.overall,
        "assurance": first.grade,
        "verdict_sha256": first.sha256,
        "trust": then["trust"],
        "differs": differs,
    }


def _said(finding: Mapping[str, Any]) -> dict[str, str | None]:
    return {"outcome": finding["outcome"], "reason": finding["reason"]}


def _concerns(finding: Mapping[str, Any]) -> bool:
    return str(finding["check"]).startswith("SIG.") or finding["check"] == "TIME.TSA"


def _placed(findings: Findings) -> dict[tuple[str, str, int], int]:
    placed: dict[tuple[str, str, int], int] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for n, finding in enumerate(findings):
        if _concerns(finding):
            key = (finding["check"], finding["subject"])
            placed[*key, seen[key]] = n
            seen[key] += 1
    return placed


def _answer(finding: Mapping[str, Any]) -> tuple[str, str | None]:
    return finding["outcome"], finding["reason"]
