"""One side of a comparison: a capture of an exhibit whose content the person may see. Whatever is not so answers like what does not
exist."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.access import cases_where, demand, visible_to
from evidence.exhibits.models import Exhibit, ExhibitFile
from evidence.runs.models import RunVerdict
from portal.people.models import User

from .. import kept, views
from ..capture import Capture, Kind, Resource, ViewKind
from ..capture import lines as text_lines
from ..rendering import section as rendering
from ..rendering.models import CourtRender

POSITION_MAX = 32_767
"""Of the column that holds positions."""
_TOKEN = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([1-9][0-9]{0,4})(?:\.([1-9][0-9]{0,4}))?")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a capture. `kind`: only pictures of one kind are laid over each other, those of the same `page`."""

    kind: str
    page: int | None
    label: str | Promise
    sha256: str
    width: int
    height: int
    address: str


@dataclass(frozen=True, slots=True)
class Side:
    exhibit: Exhibit
    file: ExhibitFile
    number: int
    """Of the capture in the file, from 1."""
    shown: kept.Shown
    verdict: RunVerdict | None
    render: CourtRender | None
    """The newest that the court's own browser has drawn of this capture."""

    @property
    def capture(self) -> Capture:
        return self.shown.captures[self.number - 1]

    @property
    def reading_sha256(self) -> str:
        return self.shown.row.reading_sha256 if self.shown.row else ""

    @property
    def token(self) -> str:
        """How an address names this side."""
        return f"{self.exhibit.public_id}.{self.file.position}.{self.number}"

    @property
    def title(self) -> str:
        facts = self.capture.facts
        return facts.title or facts.url or self.file.name

    @property
    def proven(self) -> kept.Proven | None:
        return kept.proven(self.verdict, self.file.sha256)

    @property
    def lines(self) -> list[str]:
        return text_lines(self.capture.text)

    @property
    def resources(self) -> Sequence[Resource]:
        """Of the file: they stand with its first capture."""
        return self.shown.captures[0].resources

    @property
    def pictures(self) -> list[Picture]:
        """Of the capture, what the court drew of it, and of the page that a recorder captured also what it put beside it in the file."""
        found = list(self._pictures(self.number, self.capture))
        if self.render is not None:
            address = reverse("captures:render_picture", args=[self.exhibit.public_id, self.file.position, self.number])
            r = self.render
            found.append(Picture("COURT_RENDER", None, _("本院绘制的图像"), r.picture_sha256, r.width, r.height, address))
        if self.capture.kind is Kind.PAGE and self.number == 1:
            beside = ((n, c) for n, c in enumerate(self.shown.captures, start=1) if n > 1 and _attached(c))
            found += [p for n, c in beside for p in self._pictures(n, c)]
        return found

    def _pictures(self, number: int, capture: Capture) -> Iterator[Picture]:
        for n, view in enumerate(capture.views, start=1):
            if view.kind is not ViewKind.SAFE_HTML:
                address = reverse("captures:picture", args=[self.exhibit.public_id, self.file.position, number, n])
                label = _("截图") if view.kind is ViewKind.SCREENSHOT else _("打印页")
                yield Picture(view.kind, view.page, label, view.sha256, view.width, view.height, address)


def _attached(capture: Capture) -> bool:
    """A picture or document of the recorder's own, not one of the site's."""
    return capture.kind in (Kind.IMAGE, Kind.PDF) and (capture.facts.url or "").startswith("file:")


def side(request: HttpRequest, public_id: str | uuid.UUID, position: int, number: int) -> Side:
    """Raises Http404 where the content is not open to this person, or there is no such capture."""
    found = views.visible(request, str(public_id))
    demand(request.user, "evidence.view_content", found)
    if position > POSITION_MAX:
        raise Http404
    file = get_object_or_404(ExhibitFile, exhibit=found, position=position)
    (shown,) = kept.of_files([file])
    if not 1 <= number <= len(shown.captures):
        raise Http404
    render = rendering.newest(file, shown.captures[number - 1].id)
    drawn = render if render is not None and render.state == CourtRender.State.DONE else None
    return Side(found, file, number, shown, kept.newest_verdict(request.user, found), drawn)


def parse(token: str) -> tuple[uuid.UUID, int, int | None]:
    """(exhibit, position, number of the capture or None) as an address names them. Raises Http404."""
    found = _TOKEN.fullmatch(token)
    if found is None or int(found[2]) > POSITION_MAX:
        raise Http404
    return uuid.UUID(found[1]), int(found[2]), int(found[3]) if found[3] else None


def open_to(user: User, files: QuerySet[ExhibitFile]) -> QuerySet[ExhibitFile]:
    """Those whose content the person may see: `evidence.view_content` as a query. The table opens it to whoever may know of the
    exhibit (`evidence.view_meta`), except that what is confidential stays with those whose cell has no condition."""
    everything = cases_where(user, "evidence.view_content").values("pk")
    return visible_to(user, files).filter(Q(exhibit__confidential=False) | Q(exhibit__case__in=everything))
