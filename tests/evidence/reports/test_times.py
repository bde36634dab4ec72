"""The time line of a report: stated times stand as claims, wherever the calendar ends."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from evidence.reports import times, wording
from evidence.verification.stated import What
from tests import courtroom

RECEIVED = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)


def events(**changes: Any) -> tuple[times.Event, ...]:
    data = {**json.loads(courtroom.consistent().to_json()), **changes}
    return times.events(data, received=RECEIVED)[0]


def told(instant: str | None, what: str = "CAPTURED") -> dict[str, Any]:
    return {"source": "证书.json", "what": what, "text": "x", "instant": instant, "by": "PLATFORM"}


def test_what_files_state_stands_as_a_claim_in_order() -> None:
    found = events(stated=[told("2026-10-01T00:00:00.000Z", "ISSUED"), told("2026-09-01T00:00:00.000Z"), told(None)])
    claims = [e for e in found if e.source == "证书.json"]
    assert [e.what for e in claims] == [wording.EVENTS["CAPTURED"], wording.EVENTS["ISSUED"]]
    assert not any(e.proven for e in claims)
    assert [e.at for e in found] == sorted((e.at for e in found), key=lambda m: m.utc)


def test_a_proof_that_reaches_no_anchor_is_a_claim() -> None:
    whole = json.loads(courtroom.consistent().to_json())
    walk = {**whole["walk"][0], "complete": False, "time": {"not_after": "2026-01-02T00:00:00.000Z", "basis": "TSA"}}
    (claim,) = [e for e in events(walk=[walk]) if e.what == wording.EVENTS["UNANCHORED"]]
    assert not claim.proven


@pytest.mark.parametrize("edge", ["9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z"])
def test_a_time_at_the_edge_of_the_calendar_is_left_out(edge: str) -> None:
    assert len(events(stated=[told(edge)])) == len(events(stated=[]))


def test_verdicts_of_an_older_engine_have_no_stated_times() -> None:
    data = json.loads(courtroom.consistent().to_json())
    del data["stated"]
    for walk in data["walk"]:
        del walk["time"]
    assert times.events(data, received=RECEIVED)[0]


def test_everything_that_can_be_stated_has_its_words() -> None:
    assert {w.value for w in What} <= set(wording.EVENTS)
