"""Section 8: what the submitter states of the time before recording (Online Litigation Rules art. 18; court-domain §11.1 no. 8).

Each answer word for word with who said it, for whom, in what role and when, and every answer that it corrects. Nothing here is verified;
S-R18 stands above it. The annex carries every record whole; the page shows each as long as the report has room for it, and says where not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evidence.exhibits import statements
from evidence.exhibits.models import Exhibit, Statement
from evidence.exhibits.statements import Head

from .printable import NAME_MAX, clean
from .times import Moment, moment
from .wording import ROLES, Words

PRINTED_MAX = 400_000
"""Characters of statements printed in one report, shared evenly by its exhibits: of a single exhibit every statement stands whole, also
where each of its characters must be spelt out."""
PREFETCH = ("run__exhibit__statements__by", "run__exhibit__statements__party")
"""Of a RunVerdict: two queries more for a report, whatever the number of its exhibits."""
SPELT_OUT = 12
"""Characters that one may become at most: 〔U+10FFFF〕, and NFC makes up to three of one."""
LINES_MAX = 200
"""Lines of one statement: a page full of line breaks is no statement."""
EARLIER_MAX = 600
"""Characters shown of an answer that was corrected."""
EARLIER_SHOWN = 3
HEADS = {
    Head.SOURCE: Words("具体来源", "specific source"),
    Head.GENERATION: Words("生成机制", "how it was generated"),
    Head.STORAGE: Words("存储过程", "how it was stored"),
    Head.NOTARY: Words("公证机构公证", "notarised by a notary's office"),
    Head.WITNESS: Words("第三方见证", "third-party witness"),
    Head.CORROBORATION: Words("关联印证数据", "corroborating data"),
}
"""In the order and the words of art. 18 para. 2."""
LABEL = Words("提交人一方的陈述，原文照录，未核验", "the submitting side's statement, verbatim, not verified")
TAKEN_BACK = Words("提交人撤回了先前的陈述", "the submitter took the earlier statement back")
NOT_STATED = Words("未填写", "not provided")
CUT = Words("全文见 result.json", "in full in result.json")


@dataclass(frozen=True, slots=True)
class Stated:
    """One record. `lines` keep the writer's own line breaks; none: the statement was taken back. `cut`: the page does not show all of it."""

    number: int
    lines: tuple[str, ...]
    cut: bool
    by: str
    party: str
    """For whom it was said; empty where that is the person who said it."""
    role: Words
    at: Moment

    @property
    def who(self) -> Words:
        on_behalf = Words(f"（代{self.party}）", f" (for {self.party})") if self.party else Words("", "")
        return Words(f"{self.by}{on_behalf.zh}，{self.role.zh}", f"{self.by}{on_behalf.en}, {self.role.en}")


@dataclass(frozen=True, slots=True)
class Answered:
    """One head. `current` is what stands now; None: nothing was said, or it was taken back. `earlier`: what it corrects, newest first."""

    id: str
    head: Words
    current: Stated | None
    earlier: tuple[Stated, ...]
    earlier_more: int


def answers(exhibit: Exhibit, *, until: datetime, most: int) -> tuple[Answered, ...]:
    """All six heads in their order, as they stood at `until`. `most`: characters that may be printed of this exhibit's statements."""
    room = max(EARLIER_MAX, most // len(Head))
    return tuple(
        Answered(
            id=said.head.value,
            head=HEADS[said.head],
            current=_stated(said.current, room) if said.current else None,
            earlier=tuple(_stated(one, EARLIER_MAX) for one in said.earlier[:EARLIER_SHOWN]),
            earlier_more=max(0, len(said.earlier) - EARLIER_SHOWN),
        )
        for said in statements.of(exhibit, until=until)
    )


def carried(exhibit: Exhibit, *, until: datetime) -> list[dict[str, Any]]:
    """For the annex: every record of every head, the texts exactly as they were handed in."""
    return [
        {
            "head": said.head.value,
            "words": {"zh": HEADS[said.head].zh, "en": HEADS[said.head].en},
            "records": [
                {
                    "number": one.number,
                    "text": one.text,
                    "by": one.by.get_full_name(),
                    "for": one.party.name if one.party else None,
                    "role": one.role,
                    "at": moment(one.at).utc,
                }
                for one in said.records
            ],
        }
        for said in statements.of(exhibit, until=until)
    ]


def _stated(one: Statement, most: int) -> Stated:
    lines, cut = _lines(one.text.split("\n") if one.text else (), most)
    by = clean(one.by.get_full_name(), NAME_MAX)
    party = clean(one.party.name, NAME_MAX) if one.party else ""
    return Stated(one.number, lines, cut, by, "" if party == by else party, ROLES[one.role], moment(one.at))


def _lines(text: Iterable[str], most: int) -> tuple[tuple[str, ...], bool]:
    """Each line made safe to print, and whether the rest had to be left out. An empty line counts as a character."""
    shown: list[str] = []
    for line in text:
        printed = clean(line, SPELT_OUT * len(line) + 1)
        if len(printed) > most or len(shown) == LINES_MAX:
            return (*shown, f"{printed[: max(0, most - 1)]}…"), True
        shown.append(printed)
        most -= len(printed) + 1
    return tuple(shown), False
