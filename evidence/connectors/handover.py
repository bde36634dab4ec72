"""How answers of the court's nodes become sources of a run.

Each answer is handed in byte for byte, so that its digest in the verdict is its digest in the archive; one more file, the record of
questions (`evidence.verification.chains.court_node`), says which node was asked what and when. Run again offline over the same files
under the same names, the engine gives the same verdict, byte for byte: docs/operate.md tells how they are exported.
"""

import json
from collections.abc import Sequence

from django.conf import settings

from evidence.exhibits.models import Exhibit
from evidence.runs.given import Given
from evidence.verification.chains import court_node
from evidence.verification.exhibit import FILES_MAX, Source
from evidence.verification.exhibit import Exhibit as CoreExhibit
from evidence.verification.registry import Role, recognise
from evidence.verification.verdict import instant
from portal.vault import Vault

from .models import Inquiry
from .nodes import Node
from .questions import Answer
from .wire import Unusable

OUTCOMES = {
    Inquiry.State.ANSWERED: "ANSWERED",
    Inquiry.State.ABSENT: "NOT_FOUND",
    Inquiry.State.UNUSABLE: "UNUSABLE",
    Inquiry.State.UNREACHABLE: "UNREACHABLE",
}


class NoRoom(Exception):
    """The exhibit has so many files of its own that the answers do not fit beside them."""


def readable(answers: Sequence[Answer]) -> None:
    """Unusable unless every answer is something the engine reads as a proof or as what supports one.

    Anything else would count as a further piece of evidence, and a node does not file evidence.
    """
    exhibit = CoreExhibit.of([Source.from_bytes(a.name, a.data) for a in answers])
    try:
        formats, _ = recognise(exhibit)
        for source, found in formats.items():
            if found.role not in (Role.PROOF, Role.SUPPORT):
                raise Unusable(f"an answer that is read as {found.name}: {source.name.rpartition('/')[2]}")
    finally:
        exhibit.close()


def compose(exhibit: Exhibit, nodes: Sequence[Node]) -> list[Given]:
    """The record of questions and every answer that stands for this exhibit, for its next run. NoRoom.

    Of several inquiries about one transaction at one node the newest answered one stands, else the newest: asked again, a node may
    mend what it said, and the runs before keep what they had.
    """
    standing: dict[tuple[str, str], Inquiry] = {}
    for inquiry in Inquiry.objects.filter(exhibit=exhibit).exclude(state__in=Inquiry.OPEN).order_by("pk"):
        before = standing.get((inquiry.node, inquiry.tx_id))
        if before is None or inquiry.state == Inquiry.State.ANSWERED or before.state != Inquiry.State.ANSWERED:
            standing[inquiry.node, inquiry.tx_id] = inquiry
    titles = {n.id: n for n in nodes}
    entries, given = [], []
    for inquiry in sorted(standing.values(), key=lambda i: (i.node, i.tx_id)):
        answers = list(inquiry.obtained.all()) if inquiry.state == Inquiry.State.ANSWERED else []
        node = titles.get(inquiry.node)
        entries.append(
            {
                "node": inquiry.node,
                "title": dict(node.title) if node else {},
                "family": node.family if node else "",
                "chain_id": node.chain_id if node else "",
                "group_id": node.group_id if node else "",
                "tx_id": inquiry.tx_id,
                "asked_at": instant(inquiry.finished_at or inquiry.queued_at),
                "outcome": OUTCOMES[Inquiry.State(inquiry.state)],
                "answers": [{"name": a.name, "sha256": a.sha256} for a in answers],
            }
        )
        given += [Given(a.name, a.size, a.sha256, a.sm3) for a in answers]
    if not entries:
        return []
    if exhibit.files.count() + len(given) + 1 > FILES_MAX:
        raise NoRoom(f"more than {FILES_MAX} files together with those of the exhibit")
    manifest = {"format": court_node.FORMAT, "version": 1, "inquiries": entries[-court_node.INQUIRIES_MAX :]}
    data = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    stored = Vault(settings.PORTAL_VAULT_DIR).put_bytes(data)
    return [Given(court_node.NAME, stored.size, stored.sha256, stored.sm3), *given]
