"""Facts of a file that stands alone: a saved page, a picture, a printed page."""

from __future__ import annotations

from evidence.verification.snapshots import capture_log

from ..capture import Facts, Kind, cut


def saved_facts(payload: bytes, kind: Kind, *, name: str) -> Facts:
    """What SingleFile wrote at the head of a page, else only what kind of thing it is."""
    told = {Kind.PAGE: "text/html", Kind.PDF: "application/pdf"}.get(kind)
    if kind is Kind.PAGE:
        page = capture_log.saved_page(name, payload[: capture_log.PAGE_HEAD].decode("utf-8", "replace"))
        if page is not None:
            url, time = page
            return Facts(
                url=cut(url),
                claimed_time=cut(time.text) if time else None,
                claimed_instant=time.instant if time else None,
                content_type=told,
                software="SingleFile",
            )
    return Facts(content_type=told)
