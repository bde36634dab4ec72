"""What the judge's page says of the court's own nodes: who was asked, what was obtained, and what could still be asked."""

from dataclasses import dataclass

from django.utils.translation import get_language

from evidence.exhibits.models import Exhibit
from evidence.runs.models import Run, RunSource
from evidence.verification.chains import court_node
from evidence.verification.verdict import Overall

from . import inquiries
from .models import Exchange, Inquiry
from .nodes import Node

INQUIRIES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Piece:
    """One source that the court obtained, with the exchange it came from; None for the record of questions itself, and for
    certificates, which are parts of an answer."""

    source: RunSource
    exchange: Exchange | None
    title: str

    @property
    def is_record(self) -> bool:
        return self.source.name == court_node.NAME

    @property
    def file(self) -> str:
        return self.source.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class CourtNodes:
    """`inquiries` newest first, with the title of the node asked; `askable`: there is something to ask for that is not proven."""

    pieces: tuple[Piece, ...]
    inquiries: tuple[tuple[Inquiry, str], ...]
    askable: bool
    working: bool

    def __bool__(self) -> bool:
        return bool(self.pieces or self.inquiries or self.askable)


def court_nodes(exhibit: Exhibit, run: Run | None, *, detail: bool, may_ask: bool) -> CourtNodes:
    """`detail`: may this person read what the run was given? `may_ask`: and ask, and see what was asked without a result?"""
    configured = {n.id: n for n in inquiries.nodes()}
    rows = list(Inquiry.objects.filter(exhibit=exhibit).order_by("-pk")[:INQUIRIES_SHOWN]) if may_ask else []
    return CourtNodes(
        pieces=tuple(_pieces(run, configured)) if run and detail else (),
        inquiries=tuple((i, title(configured.get(i.node), i.node)) for i in rows),
        askable=bool(
            may_ask
            and configured
            and run is not None
            and run.verdict.overall != Overall.CONSISTENT.value
            and inquiries.askable(exhibit) is not None
        ),
        working=any(i.state in Inquiry.OPEN for i in rows),
    )


def title(node: Node | None, identity: str) -> str:
    """The node's title in the language of the page, or its id when it is no longer configured."""
    return node.title["en" if (get_language() or "").startswith("en") else "zh"] if node else identity


def pieces(run: Run) -> list[Piece]:
    """What the court obtained for a run, for its report."""
    return _pieces(run, {})


def _pieces(run: Run, configured: dict[str, Node]) -> list[Piece]:
    sources = list(run.obtained.all())
    if not sources:
        return []
    exchanges = {
        e.answer_sha256: e
        for e in Exchange.objects.filter(
            inquiry__exhibit=run.exhibit_id, answer_sha256__in=[s.sha256 for s in sources]
        ).order_by("pk")
    }
    return [_piece(s, exchanges.get(s.sha256), configured) for s in sources]


def _piece(source: RunSource, exchange: Exchange | None, configured: dict[str, Node]) -> Piece:
    identity = source.name.split("/")[1]
    return Piece(source, exchange, title(configured.get(identity), identity))
