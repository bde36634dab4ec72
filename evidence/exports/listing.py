"""The catalogue of evidence 证据目录 of an export: for a spreadsheet and for the printer, in Chinese and English.

What parties wrote is data here: a cell that a spreadsheet would calculate is disarmed, what hides or turns text is spelt out.
"""

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.template.loader import render_to_string
from django.utils import timezone

from cases.access import visible_to
from cases.catalogue import in_order_of_sides
from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.reports import document
from evidence.reports.models import Report
from evidence.reports.wording import CATEGORIES, ORIGINAL_FORMS, VERDICTS
from evidence.runs.models import Run
from portal.legible import legible
from portal.people.models import User

from .models import Export

CELL_MAX = 2_000
"""Characters of a party's text in one cell; a spreadsheet takes 32,767, a printed row much less."""
FORMULA = tuple("=+-@＝＋－＠\t\r\n'")
"""With these a spreadsheet begins to calculate; the fullwidth forms in the Far East editions."""
HEADINGS = (
    "证据编号 No.",
    "名称 Name",
    "提交方 Submitted by",
    "类别 Class",
    "形成方式 Origin form",
    "来源 Source",
    "证明对象 Purpose",
    "文件数 Files",
    "字节 Bytes",
    "收到（北京时间） Received (UTC+8)",
    "核验结论 Verdict",
    "报告 Reports",
    "核验包内 In the bundle",
    "文件 SHA-256",
)
NO_REPORT = "尚无报告 no report yet"
NO_VERDICT = "尚无结论 none yet"


@dataclass(frozen=True, slots=True)
class Row:
    number: str
    name: str
    party: str
    category: str
    form: str
    source: str
    purpose: str
    files: int
    size: int
    received: str
    verdict: str
    reports: tuple[str, ...]
    bundled: str
    digests: tuple[str, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        return (
            *(self.number, self.name, self.party, self.category, self.form, self.source, self.purpose, str(self.files), str(self.size)),
            *(self.received, self.verdict, "; ".join(self.reports) or NO_REPORT, self.bundled, " ".join(self.digests)),
        )


def rows(export: Export) -> list[Row]:
    """The listed exhibits as courts list them: five questions to the database, however many."""
    content = dict(export.exhibits.filter(listed=True).values_list("exhibit", "content"))
    found = Exhibit.objects.filter(pk__in=content).select_related("party").prefetch_related("files")
    exhibits = list(found.order_by(in_order_of_sides("side"), "number"))
    verdicts = _newest_verdicts(export.ordered_by, exhibits)
    reports: dict[int, list[str]] = {}
    spoken = Report.verdicts.through.objects.filter(report__in=export.reports.values("report"))
    for exhibit, number in spoken.values_list("runverdict__run__exhibit", "report__number").order_by("report__number"):
        reports.setdefault(exhibit, []).append(number)
    return [_row(e, verdicts.get(e.pk, NO_VERDICT), tuple(dict.fromkeys(reports.get(e.pk, ()))), content[e.pk]) for e in exhibits]


def as_csv(rows: Sequence[Row]) -> bytes:
    """UTF-8 with a byte order mark, which is how Excel knows it; lines end as RFC 4180 says."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(HEADINGS)
    writer.writerows([cell(text) for text in row.cells] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def as_html(case: Case, rows: Sequence[Row]) -> bytes:
    """One page without scripts or anything from elsewhere, to be printed."""
    return render_to_string("evidence/exports/catalogue_paper.html", {"case": case, "rows": rows, "headings": HEADINGS}).encode()


def cell(text: str) -> str:
    """One line that no spreadsheet calculates.

    >>> cell("=HYPERLINK(1)"), cell(" +1"), cell("原告证据1")
    ("'=HYPERLINK(1)", "' +1", '原告证据1')
    """
    # Blanks in front do not save a cell: some programs strip them.
    bare = text.lstrip("".join(c for c in set(text) if unicodedata.category(c) == "Zs"))
    return f"'{text}" if bare.startswith(FORMULA) else text


def _row(e: Exhibit, verdict: str, reports: tuple[str, ...], content: bool) -> Row:
    files = list(e.files.all())
    category, form = CATEGORIES[e.category], ORIGINAL_FORMS[e.original_form]
    return Row(
        number=document.label(e).zh,
        name=_line(e.name),
        party=_line(e.party.name) if e.party else "",
        category=f"{category.zh} {category.en}",
        form=f"{form.zh} {form.en}",
        source=_line(e.origin),
        purpose=_line(e.purpose),
        files=len(files),
        size=sum(f.size for f in files),
        received=_moment(e.submitted_at),
        verdict=verdict,
        reports=reports,
        bundled=("文件 files" if content else "仅摘要 digests only") if reports else "–",
        digests=tuple(f.sha256 for f in files),
    )


def _newest_verdicts(user: User, exhibits: Sequence[Exhibit]) -> dict[int, str]:
    runs = visible_to(user, Run.objects.filter(exhibit__in=exhibits, state=Run.State.DONE, verdict__isnull=False))
    newest = runs.order_by("exhibit_id", "-number").distinct("exhibit_id").values_list("exhibit_id", "verdict__overall", "verdict__grade")
    return {exhibit: f"{VERDICTS[overall].zh} {overall}" + (f" ({grade})" if grade else "") for exhibit, overall, grade in newest}


def _line(text: str) -> str:
    """What a party wrote, on one line."""
    return legible(" ".join(text.split())[:CELL_MAX], breaks="")


def _moment(at: datetime) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S")
