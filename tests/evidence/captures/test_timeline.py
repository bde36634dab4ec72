"""The time line: what it may say of two files, and what it must never say. Expected sentences are written from what the proofs mean, not
taken from the code."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from evidence.captures import moments, timeline
from evidence.captures.capture import Capture, Facts, Kind, Place, Run
from evidence.captures.timeline import CLAIMED_BRIEF, CLAIMED_SHOWN, Stands, Timeline, Track
from evidence.verification.stated import STATED_MAX

A, B = "a" * 64, "b" * 64
RECEIVED = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def at(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def proof(
    moment: datetime, *, sha256: str = A, basis: str = "PROPOSER", grade: str = "B", complete: bool = True, accuracy: float | None = None
) -> dict[str, Any]:
    """A walk of a verdict document; of a token, with its genTime as the engine labels it."""
    done = {"check": "X.Y", "outcome": "PASSED", "reason": None, "from": {"kind": "FILE", "label": "f"}}
    steps = [{**done, "to": {"kind": "ANCHOR", "label": "pin"}}]
    not_after = moment
    if basis == "TSA":
        steps.insert(0, {**done, "to": {"kind": "STATEMENT", "label": at(moment)}})
        not_after = moment + timedelta(seconds=accuracy or 0)
    return {
        "file": "f",
        "sha256": sha256,
        "source": f"{basis}.proof",
        "grade": grade,
        "state": "PROVEN",
        "complete": complete,
        "time": {"not_after": at(not_after), "basis": basis},
        "steps": steps,
    }


def document(*walks: dict[str, Any], stated: Any = (), overall: str = "CONSISTENT") -> dict[str, Any]:
    return {"overall": overall, "grade": "B", "walk": list(walks), "stated": list(stated)}


def stated(text: str, instant: str | None, *, what: str = "CAPTURED", source: str = "page.html", by: str = "CAPTURE") -> dict[str, Any]:
    return {"source": source, "what": what, "text": text, "instant": instant, "by": by}


def track(document: Any, *, sha256: str = A, label: str = "原告证据1", received: datetime | None = RECEIVED, **more: Any) -> Track:
    return timeline.track(label, name="page.html", sha256=sha256, document=document, received=received, **more)


def two(left: Any, right: Any, *, received: datetime | None = RECEIVED) -> Timeline:
    """Two files with these walks."""
    one = track(document(*left), sha256=A, received=received)
    other = track(document(*right), sha256=B, label="被告证据2", received=received)
    return timeline.of_two(one, other)


def capture(*, claimed: str | None = None, headers: tuple[tuple[str, str], ...] = (), text: str = "") -> Capture:
    instant = datetime.fromisoformat(claimed) if claimed else None
    facts = Facts(url="https://a.example/", claimed_time=claimed, claimed_instant=instant, headers=headers)
    runs = (Run(text, 0, max(1, len(text.encode()))),) if text else ()
    return Capture("file", Kind.PAGE, facts, Place(A, A, 1), runs)


EARLY = datetime(2024, 3, 1, 2, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)

# ── the sentence ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("turned", [False, True])
def test_the_earlier_proof_is_said_as_two_upper_bounds_and_no_more(turned: bool) -> None:
    a, b = [proof(EARLY, sha256=A)], [proof(LATER, sha256=B)]
    found = two(a, b) if not turned else two([proof(LATER, sha256=A)], [proof(EARLY, sha256=B)])
    first, second = ("甲", "乙") if not turned else ("乙", "甲")
    assert re.search(f"^{first}（[^）]*）不晚于 2024-03-01 10:00:00（北京时间.*?）已存在，这一点已证明；", found.sentence)
    assert re.search(f"；{second}（[^）]*）最早得到证明的时间是 2026-03-01 10:00:00", found.sentence)
    assert found.sentence.endswith(f"这不说明{second}在此之前不存在。")


def test_english_says_the_same() -> None:
    with translation.override("en"):
        said = two([proof(EARLY, sha256=A)], [proof(LATER, sha256=B)]).sentence
    assert "is proven to have existed by 2024-03-01 10:00:00" in said
    assert "the earliest point proven for B" in said and "does not show that B did not exist before" in said


ORDERING = re.compile(r"早于|先于|较早|更早|在先|晚产生|抄袭|不存在。.*不存在。|earlier than|predates|came first|did not exist")


@pytest.mark.parametrize(
    ("left", "right", "says"),
    [
        ([proof(EARLY, sha256=A)], [], "没有得到证明的时间，两者分不出先后"),
        ([], [proof(EARLY, sha256=B)], "没有得到证明的时间，两者分不出先后"),
        ([], [], "都没有得到证明的时间，只有各自的说法，分不出先后"),
        ([proof(EARLY, sha256=A)], [proof(EARLY, sha256=B)], "相差在时钟误差之内，分不出先后"),
        ([proof(EARLY, sha256=A, complete=False)], [proof(LATER, sha256=B, complete=False)], "都没有得到证明的时间"),
    ],
)
def test_what_is_not_proven_of_both_is_not_ordered(left: Any, right: Any, says: str) -> None:
    """To see it fail: let a single bound, or an incomplete walk, win."""
    found = two(left, right)
    assert says in found.sentence and not ORDERING.search(found.sentence)


def test_one_bound_is_told_with_when_the_court_received_the_other() -> None:
    found = two([proof(EARLY, sha256=A)], [])
    assert "甲（原告证据1）不晚于 2024-03-01 10:00:00" in found.sentence
    assert found.sentence.endswith("本院收到乙的时间是 2026-11-22 15:00:00（北京时间，本院的时钟）。")


def token(second: float, sha256: str, accuracy: float | None = None) -> list[dict[str, Any]]:
    return [proof(EARLY + timedelta(seconds=second), sha256=sha256, basis="TSA", grade="A", accuracy=accuracy)]


@pytest.mark.parametrize(
    ("apart", "a", "b", "ordered"),
    [
        (0.010, None, None, False),  # ten milliseconds, and tokens that say nothing of their accuracy
        (1.9, None, None, False),  # a second each
        (2.1, None, None, True),
        (2.1, 60, None, False),  # the first may be a minute late
        (2.1, None, 60, False),  # the second may be a minute early
        (61, 60, 1, False),  # they touch
        (61.01, 60, 1, True),
        (61.01, 60, 0.2, True),  # better than a second no clock is believed to be
        (60.9, 60, 0.2, False),
        (119, 60, 60, False),
        (121, 60, 60, True),
    ],
)
def test_tokens_whose_accuracies_overlap_are_not_ordered(apart: float, a: float | None, b: float | None, ordered: bool) -> None:
    """genTime ± accuracy (RFC 3161 §2.4.2) of both, a second where none is written."""
    found = two(token(0, A, a), token(apart, B, b)).sentence
    assert ("分不出先后" not in found) is ordered, found


@pytest.mark.parametrize(
    ("basis", "apart", "ordered"),
    [
        ("PROPOSER", timedelta(minutes=19), False),
        ("PROPOSER", timedelta(minutes=21), True),
        ("CHECKPOINT", timedelta(minutes=19), False),
        ("SOMETHING_NEW", timedelta(minutes=239), False),
        ("SOMETHING_NEW", timedelta(minutes=241), True),
    ],
)
def test_clocks_that_nobody_vouches_for_are_given_room(basis: str, apart: timedelta, ordered: bool) -> None:
    found = two([proof(EARLY, sha256=A, basis=basis)], [proof(EARLY + apart, sha256=B, basis=basis)]).sentence
    assert ("分不出先后" not in found) is ordered


def test_of_several_anchors_the_earliest_wins_and_its_grade_is_shown() -> None:
    walks = [proof(LATER, grade="A", basis="TSA"), proof(EARLY, grade="C"), proof(LATER + timedelta(days=9), grade="A")]
    found = two(walks, [proof(LATER, sha256=B)])
    bound = found.tracks[0].bound
    assert bound is not None and (bound.at, bound.grade, bound.what) == (EARLY, "C", "ON_CHAIN")
    assert "C 级" in found.sentence
    assert sum(p.stands is Stands.PROVEN for p in found.tracks[0].points) == 3


def test_a_proof_of_another_file_proves_nothing_of_this_one() -> None:
    assert track(document(proof(EARLY, sha256=B))).bound is None


def test_an_inconsistent_exhibit_is_not_ordered() -> None:
    one = track(document(proof(EARLY), overall="INCONSISTENT"))
    other = track(document(proof(LATER, sha256=B)), sha256=B, label="被告证据2")
    found = timeline.of_two(one, other)
    assert "核验不一致" in found.sentence and "不比较先后" in found.sentence and "已证明" not in found.sentence
    case = timeline.of_case([one, other])
    assert "被告证据2" in case.sentence and "原告证据1" not in case.sentence and "1 个文件" in case.caveats[0]


def test_one_file_twice_has_no_order() -> None:
    found = timeline.of_two(track(document(proof(EARLY))), track(document(proof(LATER)), label="被告证据2"))
    assert "同一个文件" in found.sentence


def test_without_a_verdict_nothing_is_proven_and_it_says_why() -> None:
    found = timeline.of_two(track(None), track(document(proof(EARLY, sha256=B)), sha256=B))
    assert "甲（原告证据1）还没有您可以看的核验结果。" in found.caveats
    assert not ORDERING.search(found.sentence)


def test_verdicts_of_older_engines_are_read() -> None:
    """Without `stated`, and with walks that have no `time`."""
    walk = proof(EARLY)
    del walk["time"]
    old = {"overall": "CONSISTENT", "walk": [walk, {**proof(EARLY), "time": None}]}
    found = track(old)
    assert found.bound is None and [p.stands for p in found.points] == [Stands.RECEIVED]
    assert track({"overall": "INDETERMINATE"}).points == found.points
    assert track({"overall": "INDETERMINATE", "walk": None, "stated": None}).points == found.points


# ── claims ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_claims_are_shown_as_written_with_their_zone_and_in_court_time() -> None:
    told = [
        stated("Sun Nov 22 2026 07:35:24 GMT+0000 (协调世界时)", "2026-11-22T07:35:24.000Z", source="page.html"),
        stated("2026-11-22T07:35:24+08:00", "2026-11-21T23:35:24.000Z", what="LOGGED", source="page.html · log.json"),
        stated("2026-11-22 09:00:00", None, what="ISSUED", source="证书.json", by="PLATFORM"),
    ]
    found = track(document(stated=told), received=None)
    logged, saved = found.points
    assert (logged.text, logged.zone, logged.court_time) == ("2026-11-22T07:35:24+08:00", "UTC+08:00", "2026-11-22 07:35:24")
    assert (saved.zone, saved.court_time) == ("UTC", "2026-11-22 15:35:24")
    (issued,) = found.unplaced
    assert (issued.text, issued.court_time, issued.zone, issued.at) == ("2026-11-22 09:00:00", "", "", None)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-11-22T07:35:24Z", "UTC"),
        ("Sun, 22 Nov 2026 07:35:24 GMT", "UTC"),
        ("Sun, 22 Nov 2026 07:35:24 -0000", "UTC-00:00"),
        ("Sun, 22 Nov 2026 07:35:24 +0530", "UTC+05:30"),
        ("2026-11-22 07:35:24 北京时间", "UTC+08:00"),
        ("2026-11-22 07:35:24（北京时间）", "UTC+08:00"),
        ("2026-11-22T07:35:24-03:00", "UTC-03:00"),
        ("2026-11-22T07:35:24.123-0300", "UTC-03:00"),
        ("Sun Nov 22 2026 07:35:24 GMT+0800 (China Standard Time)", "UTC+08:00"),
        ("1772328600000", "UTC（自 1970 年起的计数）"),
        ("2026-11-22", ""),
        ("2026-11-22 07:35:24", ""),
    ],
)
def test_zones(text: str, zone: str) -> None:
    assert moments.zone(text) == zone


def test_another_file_of_the_exhibit_speaks_for_itself_only() -> None:
    told = [stated("2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000Z", source=name) for name in ("other.html", "page.html2", "page.html.bak · x")]
    assert track(document(stated=told), received=None).points == ()


def test_a_proof_that_reaches_no_anchor_is_a_claim() -> None:
    found = track(document(proof(EARLY, complete=False)), received=None)
    (point,) = found.points
    assert (point.stands, point.what, found.bound) == (Stands.CLAIMED, "UNANCHORED", None)


def test_the_reading_and_the_verdict_tell_one_time_once() -> None:
    told = [stated("2026-11-22T07:35:24Z", "2026-11-22T07:35:24.000Z")]
    found = track(document(stated=told), received=None, captures=[capture(claimed="2026-11-22T07:35:24+00:00")])
    assert len(found.points) == 1


PAGE = "作品标题\n发布时间：2019-05-01 12:00:00 北京时间 浏览 30\n发表于 2019年5月1日\n评论 2020-01-01\n"


def test_dates_of_publication_come_from_the_visible_text_for_those_who_may_read_it() -> None:
    found = track(document(), received=None, captures=[capture(text=PAGE)], text=True)
    assert [(p.what, p.court_time) for p in found.points] == [("PUBLISHED", "2019-05-01 12:00:00")]
    assert [p.text for p in found.unplaced] == ["2019年5月1日"]
    assert track(document(), received=None, captures=[capture(text=PAGE)]).points == ()


def test_a_claim_after_a_bound_is_marked_and_told() -> None:
    told = [stated(t, t.replace("Z", ".000Z")) for t in ("2024-03-01T02:09:00Z", "2024-03-01T02:11:00Z")]
    found = track(document(proof(EARLY), stated=told))
    assert [p.text for p in found.late] == ["2024-03-01T02:11:00Z"]
    both = timeline.of_two(found, track(document(proof(LATER, sha256=B)), sha256=B))
    assert any("不能同时成立" in c for c in both.caveats)


def test_a_claim_after_the_court_had_the_file_is_marked() -> None:
    told = [stated("9999-01-01T00:00:00Z", "9999-01-01T00:00:00.000Z")]
    assert [p.late for p in track(document(stated=told)).points] == [False, True]


def test_a_certificate_may_be_later_than_the_proof_but_not_than_the_receipt() -> None:
    """It is another file. Bytes that existed long ago can be captured again, recorded again and certified at any time."""
    after, never = "2024-06-01T00:00:00", "2026-12-24T00:00:00"
    told = [
        stated(t, f"{t}.000Z", what=what, source="证书.json", by="PLATFORM")
        for t in (after, never)
        for what in ("CAPTURED", "RECORDED", "ISSUED")
    ]
    found = track(document(proof(EARLY), stated=told))
    assert {p.text for p in found.late} == {never} and len(found.late) == 3
    inside = track(document(proof(EARLY), stated=[stated(after, f"{after}.000Z", what="ISSUED", by="PLATFORM")]))
    assert len(inside.late) == 1


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "1601-01-01T00:00:00.000Z", "x", "", 7, None, "2026-13-01"])
def test_absurd_and_broken_times_neither_crash_nor_place(instant: Any) -> None:
    found = track(document(proof(EARLY), {**proof(EARLY), "time": {"not_after": instant, "basis": None}}, stated=[stated("x", instant)]))
    shown = timeline.of_two(found, track(document(), sha256=B))
    for row in shown.rows:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3})?", row.point.court_time)
    if instant in ("0001-01-01T00:00:00.000Z", "1601-01-01T00:00:00.000Z"):
        assert any(p.absurd for p in found.points)


def test_five_hundred_claims_are_bounded_and_the_first_the_last_and_the_late_are_kept() -> None:
    base = datetime(2020, 1, 1, tzinfo=UTC)
    told = [stated(f"t{n}", at(base + timedelta(days=n)), what=what) for n in range(250) for what in ("LOGGED", "CAPTURED")]
    assert len(told) > STATED_MAX
    late = stated("spät", "2026-12-24T00:00:00.000Z")
    found = track(document(stated=[*told, late]))
    claimed = [p.text for p in found.points if p.stands is Stands.CLAIMED]
    assert len(claimed) == CLAIMED_SHOWN and found.left_out == 501 - CLAIMED_SHOWN
    assert {"t0", "t249", "spät"} <= set(claimed)
    brief = track(document(stated=[*told, late]), brief=True)
    assert sum(p.stands is Stands.CLAIMED for p in brief.points) == CLAIMED_BRIEF and brief.late


@pytest.mark.parametrize(
    ("apart", "said"),
    [
        (timedelta(0), "不到 1 毫秒"),
        (timedelta(microseconds=400), "不到 1 毫秒"),
        (timedelta(milliseconds=10), "10 毫秒"),
        (timedelta(seconds=1), "1 秒"),
        (timedelta(seconds=119), "119 秒"),
        (timedelta(minutes=119), "119 分钟"),
        (timedelta(hours=47), "47 小时"),
        (timedelta(days=729), "729 天"),
        (timedelta(days=25 * 365 + 6), "25 年"),
        (timedelta(days=9998 * 365), "9998 年"),
    ],
)
def test_spans(apart: timedelta, said: str) -> None:
    assert moments.span(apart) == said == moments.span(-apart)


# ── the drawing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_is_known_only_from_a_proven_or_received_point_on() -> None:
    told = [stated("2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000Z")]
    one = track(document(proof(EARLY), stated=told), received=None)
    other = track(document(), sha256=B, label="被告证据2")
    rows = timeline.of_two(one, other).rows
    drawn = [[(lane.above, lane.mark, lane.below) for lane in row.lanes] for row in rows]
    assert drawn == [
        [("", "claimed", "open"), ("", "", "")],
        [("open", "proven", "known"), ("", "", "")],
        [("known", "", "known"), ("", "received", "known")],
    ]
    assert [row.gap for row in rows] == ["相隔 4 年", "相隔 2 年", ""]


def test_a_case_lists_the_earliest_proven_first_and_never_in_lanes() -> None:
    tracks = [
        track(document(), sha256="c" * 64, label="没有"),
        track(document(proof(LATER, sha256=B)), sha256=B, label="后"),
        track(document(proof(EARLY)), label="先"),
    ]
    found = timeline.of_case(tracks)
    assert [t.label for t in found.tracks] == ["先", "后", "没有"]
    assert found.sentence.startswith("共 3 个文件，2 个有得到证明的时间。最早得到证明的是 先：不晚于 2024-03-01 10:00:00")
    assert all(len(row.lanes) == 1 for row in found.rows) and not found.paired
    assert any("上限" in c for c in found.caveats)
    level = timeline.of_case([track(document(proof(EARLY)), label="一"), track(document(proof(EARLY, sha256=B)), sha256=B, label="二")])
    assert "分不出先后" in level.sentence and "一、二" in level.sentence
    assert "分不出先后" in timeline.of_case([track(document())]).sentence


# ── facts that do not go together ─────────────────────────────────────────────────────────────────────────────────────

TAKEN = "2026-11-22T07:35:24+00:00"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ((("Date", "Sun, 22 Nov 2026 07:35:20 GMT"),), None),
        ((("Date", "Sun, 22 Nov 2026 07:46:00 GMT"),), "TIME_ORDER_CONFLICT"),
        ((("Date", "Sun, 22 Nov 2026 06:35:20 GMT"),), "FACTS_CONFLICT"),
        ((("Date", "Sun, 22 Nov 2026 06:35:20 GMT"), ("Age", "3600")), None),
        ((("Date", "Sun, 22 Nov 2026 06:35:20 GMT"), ("Age", "-3600")), "FACTS_CONFLICT"),
        ((("Date", "Sun, 22 Nov 2026 06:35:20 GMT"), ("Age", "9" * 400)), "FACTS_CONFLICT"),
        ((("Date", "Sun, 22 Nov 2026 06:35:20 GMT"), ("Age", "٣٦٠٠")), "FACTS_CONFLICT"),
        ((("Last-Modified", "Mon, 23 Nov 2026 07:35:20 GMT"),), "TIME_ORDER_CONFLICT"),
        ((("Date", "Fri, 31 Dec 9999 23:59:59 GMT"),), None),
        ((("Date", "yesterday"),), None),
        ((), None),
    ],
)
def test_what_the_server_said_against_when_it_is_said_to_have_been_captured(headers: tuple[tuple[str, str], ...], code: str | None) -> None:
    found = track(document(), captures=[capture(claimed=TAKEN, headers=headers)])
    assert [a.code for a in found.alarms] == ([code] if code else [])


def test_the_first_of_several_headers_counts_and_a_crawl_has_few_lines() -> None:
    headers = (("date", "Sun, 22 Nov 2026 07:35:20 GMT"), ("Date", "Sun, 22 Nov 2000 07:35:20 GMT"))
    assert track(document(), captures=[capture(claimed=TAKEN, headers=headers)]).alarms == ()
    wrong = capture(claimed=TAKEN, headers=headers[1:])
    assert len(track(document(), captures=[wrong] * 50).alarms) == 5


def test_the_words_of_a_verdict_document_never_leave_their_types() -> None:
    """A document of another engine, with anything where text should stand."""
    odd = json.loads('{"overall": 7, "walk": [{"complete": true, "sha256": "' + A + '", "time": {"not_after": [1], "basis": {}}}], "stated": [{}, {"text": 5, "instant": 9}]}')
    assert track(odd).bound is None
