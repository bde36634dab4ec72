"""A verdict read for people: real verdicts of the engine, and old ones of an engine that knew other words."""

import json
import re
from datetime import UTC, datetime

import pytest
from django.utils import translation

from evidence.exhibits.reading import REASONS_SHOWN, Reading
from evidence.verification import Verdict
from tests import courtroom

RECEIVED = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)


def reading(verdict: Verdict, language: str = "zh") -> Reading:
    return Reading(verdict.to_json(), language=language, declared=True)


def changed(verdict: Verdict, **members: object) -> Reading:
    return Reading(json.dumps({**json.loads(verdict.to_json()), **members}).encode(), language="zh", declared=True)


ALL = ("consistent", "inconsistent", "indeterminate", "without_proof")


@pytest.mark.parametrize("name", ALL)
def test_the_fixture_is_what_it_is_called(name: str) -> None:
    expected = "INDETERMINATE" if name == "without_proof" else name.upper()
    assert reading(getattr(courtroom, name)()).overall == expected


def test_a_pass_gives_its_bytes_its_finality_and_its_pin_as_reasons() -> None:
    r = reading(courtroom.consistent())
    assert len(r.reasons) == REASONS_SHOWN
    assert [reason.split("：")[0] for reason in r.reasons] == ["摘要比对", "法定多数签名", "链的身份"]
    assert r.word == "核验一致" and r.grade == "B" and "节点公钥由法院事先固定" in r.grade_meaning


def test_the_sentence_of_a_pass_says_when_and_by_whose_clock() -> None:
    r = reading(courtroom.consistent())
    assert r.not_after == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    assert "2026-09-21 22:13:20" in r.sentence and "出块节点的时钟" in r.sentence and "不晚于" in r.sentence


def test_a_refutation_gives_the_contradiction() -> None:
    r = reading(courtroom.inconsistent())
    assert r.word == "核验不一致" and r.reasons and all("：不一致。" in reason for reason in r.reasons)
    assert r.unsettled[0].outcome == "FAILED" and r.unsettled[0].expected != r.unsettled[0].actual


def test_what_is_missing_is_said_with_what_to_do() -> None:
    r = reading(courtroom.without_proof())
    assert r.missing and all(why and what for why, what in r.missing)
    assert r.reasons == [why for why, _ in r.missing][:REASONS_SHOWN]


@pytest.mark.parametrize("name", ALL)
def test_every_finding_is_shown_once_and_every_arrow_leads_to_one(name: str) -> None:
    r = reading(getattr(courtroom, name)())
    shown = [a.anchor for a in r.unsettled] + [a.anchor for group in r.settled.values() for a in group]
    assert sorted(shown) == sorted(f"finding-{n + 1}" for n in range(len(r.document["findings"])))
    outcomes = {a.anchor: (a.check, a.outcome) for a in r.answers}
    for way, walk in zip([*r.ways, *r.other_ways], [w for w in r.document["walk"] if w["steps"]], strict=False):
        for href, step in zip(re.findall(r'href="#([\w-]+)"', str(way.drawings)), walk["steps"], strict=False):
            assert href == "findings" or outcomes[href] == (step["check"], step["outcome"])


@pytest.mark.parametrize("name", ALL)
def test_no_gap_goes_undrawn(name: str) -> None:
    """Every file of evidence has a way, be it only the gap where one should be."""
    r = reading(getattr(courtroom, name)())
    assert r.ways
    for way in r.ways:
        assert way.complete == (name == "consistent")
        assert ("✗" in way.drawings or "?" in way.drawings) == (name != "consistent")


def test_only_an_unbroken_walk_ends_in_the_court_s_ink() -> None:
    ink = 'fill="#14213d" stroke="#14213d"'
    assert ink in reading(courtroom.consistent()).ways[0].drawings
    for name in ("inconsistent", "indeterminate", "without_proof"):
        assert all(ink not in way.drawings for way in reading(getattr(courtroom, name)()).ways), name


def test_time_is_an_interval_filled_from_the_first_proof_on() -> None:
    events = reading(courtroom.consistent()).events(received=RECEIVED)
    assert [e.stands for e in events] == ["proven", "received"] and [e.spans for e in events] == [True, False]
    assert events[-1].beijing == "2026-11-20 09:02:03" and events[-1].utc == "2026-11-20T01:02:03Z"
    bare = reading(courtroom.without_proof()).events(received=RECEIVED)
    assert [(e.stands, e.spans) for e in bare] == [("received", False)]


def test_a_claimed_time_stands_apart_from_the_proven_one() -> None:
    said = {"source": "证书.json", "text": "2026-09-01 08:00:00", "by": "PLATFORM"}
    stated = [
        {**said, "what": "CAPTURED", "instant": "2026-09-01T00:00:00.000Z"},
        {**said, "what": "ISSUED", "instant": "2026-10-01T00:00:00.000Z"},
        {**said, "what": "RECORDED", "instant": None},  # without a zone it has no place on the line
    ]
    r = changed(courtroom.consistent(), stated=stated)
    events = r.events(received=RECEIVED)
    assert [(e.stands, e.spans) for e in events] == [("claimed", False), ("proven", True), ("claimed", True), ("received", False)]
    assert [e.what for e in events if e.stands == "claimed"] == ["声称的取证时间", "声称的出证时间"]
    assert events[0].utc == "2026-09-01T00:00:00Z" and "证书.json 的说法，未经证明" in events[0].clock


def test_an_old_verdict_with_unknown_words_is_still_a_page() -> None:
    """Verdicts are kept for ever; checks and reasons come and go."""
    old = {
        "check": "OLD.CHECK",
        "outcome": "INDETERMINATE",
        "reason": "OLD_REASON",
        "subject": "x",
        "expected": "1",
        "actual": None,
        "law": [],
        "notes": ["OLD_NOTE:7"],
        "bearing": "DECISIVE",
    }
    r = changed(courtroom.without_proof(), findings=[old], reasons=["OLD_REASON"], not_proven=["OLD.STATEMENT"])
    (answer,) = r.answers
    assert (answer.question, answer.answer, answer.meaning) == ("OLD.CHECK", "OLD.CHECK OLD_REASON", "OLD_REASON")
    assert answer.notes == ("OLD_NOTE:7",) and r.reasons == ["OLD_REASON"] and r.not_proven == ["OLD.STATEMENT"]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("language", "code"), [("zh", "zh-hans"), ("en", "en")])
def test_no_code_is_shown_where_a_sentence_belongs(name: str, language: str, code: str) -> None:
    with translation.override(code):
        r = reading(getattr(courtroom, name)(), language)
        said = [r.sentence, *r.reasons, *r.not_proven, *(t for pair in r.missing for t in pair)]
        said += [t for a in r.answers for t in (a.question, a.answer, a.meaning, a.next_step)]
    assert not [text for text in said if re.search(r"[A-Z]{3,}[._][A-Z]", text)]


@pytest.mark.parametrize("name", ALL)
def test_english_pages_are_in_english(name: str) -> None:
    with translation.override("en"):
        r = reading(getattr(courtroom, name)(), "en")
        said = [r.word, r.sentence, r.grade_meaning, r.sentence_litigant, *r.reasons, *r.not_proven]
        said += [t for a in r.answers for t in (a.word, a.said, a.family, a.question, a.answer)]
        said += [t for axis in r.axes for t in axis[:2]]
        said += [e.heading + e.what + e.clock for e in r.events(received=RECEIVED)]
    assert not [text for text in said if re.search(r"[\u4e00-\u9fff]", text)]


def test_a_walk_that_ends_at_somebody_s_word_shows_what_is_missing() -> None:
    """To see it fail: draw only the steps the verdict has."""
    document = json.loads(courtroom.consistent().to_json())
    (walk,) = [w for w in document["walk"] if w["complete"]][:1]
    step = {**walk["steps"][0], "to": {"kind": "STATEMENT", "label": "存证编号 7"}}
    r = changed(courtroom.consistent(), walk=[{**walk, "steps": [step], "complete": False, "state": "ASSERTED", "grade": "E"}])
    (way,) = [w for w in r.ways if w.file == walk["file"]]
    assert way.steps[-1] == "没有收到从这里到信任锚的证明。" and "没有到达" in way.drawings and 'href="#findings"' in way.drawings
