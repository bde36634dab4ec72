"""What a report says of the time before recording: each answer word for word, with who said it and when, and what it corrects."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases.models import Case, Role, Side
from evidence.exhibits.models import Exhibit, Statement
from evidence.exhibits.statements import TEXT_MAX
from evidence.reports import annex, differences, edition, issuing, prechain
from evidence.reports.annex_schema import validate
from evidence.reports.models import Report
from portal.people.models import User
from tests import courtroom

pytestmark = pytest.mark.django_db
HEADS = ["source", "generation", "storage", "notary", "witness", "corroboration"]


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: object) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]


@pytest.fixture
def case() -> Case:
    return courtroom.case(1)


@pytest.fixture
def clerk(case: Case) -> User:
    clerk = courtroom.person("clerk")
    courtroom.join(clerk, case, Role.CLERK)
    return clerk


@pytest.fixture
def party(case: Case) -> User:
    party = courtroom.person("party")
    courtroom.join(party, case, Role.LITIGANT, Side.PLAINTIFF)
    return party


def report(case: Case, clerk: User, *exhibits: Exhibit) -> Report:
    verdicts = [courtroom.run(e, courtroom.consistent()).verdict for e in exhibits]
    with transaction.atomic():
        return issuing.order(case, verdicts, by=clerk)


def contents(of: Report) -> edition.Contents:
    return edition._contents(of, issued=timezone.now())


def built(of: Report) -> dict[str, Any]:
    raw = annex.build(contents(of))
    found: dict[str, Any] = json.loads(raw)
    validate(found)
    return found


def test_the_page_has_each_answer_with_who_for_whom_and_when(case: Case, clerk: User, party: User) -> None:
    exhibit = courtroom.hand_in(case, party)
    courtroom.state(exhibit, party, source="第一行\n第二行", storage="  前后有空格的字")
    item = contents(report(case, clerk, exhibit)).items[0]
    assert [a.id for a in item.prechain] == HEADS and [a.id for a in item.prechain if a.current] == ["source", "storage"]
    said = item.prechain[0].current
    assert said is not None
    assert (said.lines, said.cut, said.number) == (("第一行", "第二行"), False, 1)
    assert said.who.zh == "姓名party（代plaintiff公司），当事人" and said.who.en == "姓名party (for plaintiff公司), party"
    assert said.at.utc == Statement.objects.first().at.strftime("%Y-%m-%dT%H:%M:%SZ")  # type: ignore[union-attr]


def test_a_correction_stands_before_what_it_corrects_and_both_are_in_the_annex(case: Case, clerk: User, party: User) -> None:
    exhibit = courtroom.hand_in(case, party)
    for text in ("甲", "乙", ""):
        courtroom.state(exhibit, party, source=text)
    made = report(case, clerk, exhibit)
    head = contents(made).items[0].prechain[0]
    assert head.current is None and [e.lines for e in head.earlier] == [(), ("乙",), ("甲",)]
    carried = built(made)["items"][0]["pre_chain"][0]
    assert [(r["number"], r["text"]) for r in carried["records"]] == [(1, "甲"), (2, "乙"), (3, "")]


def test_what_is_said_after_the_report_was_made_is_not_in_it(case: Case, clerk: User, party: User) -> None:
    """To see it fail: read the statements without the moment of issue."""
    exhibit = courtroom.hand_in(case, party)
    courtroom.state(exhibit, party, source="甲")
    made = report(case, clerk, exhibit)
    then = Statement.objects.get().at + timedelta(microseconds=1)
    before = annex.build(edition._contents(made, issued=then))
    later = Statement.objects.create(exhibit=exhibit, head="source", number=2, text="乙", by=party, role="litigant", at=then + timedelta(seconds=1))
    assert later.pk and annex.build(edition._contents(made, issued=then)) == before


HOSTILE = "收到\u202e元万一\u2066x\u200b</text>#set page(fill: red)\\u{202e}<b><i>{{ x }}\u0000".replace("\u0000", "") + "Z" + "\u0321" * 40


def test_hostile_words_are_carried_exactly_and_printed_by_their_numbers(case: Case, clerk: User, party: User) -> None:
    exhibit = courtroom.hand_in(case, party)
    courtroom.state(exhibit, party, source=HOSTILE)
    made = report(case, clerk, exhibit)
    line = " ".join(contents(made).items[0].prechain[0].current.lines)  # type: ignore[union-attr]
    assert "\u202e" not in line and "\u2066" not in line and "〔U+202E〕" in line and "</text>#set page(fill: red)" in line
    assert built(made)["items"][0]["pre_chain"][0]["records"][0]["text"] == HOSTILE


def test_the_longest_answers_to_all_six_stand_whole_even_spelt_out(case: Case, clerk: User, party: User) -> None:
    exhibit = courtroom.hand_in(case, party)
    courtroom.state(exhibit, party, **{h: ("\u202e" if h == "notary" else "字") * TEXT_MAX for h in HEADS})
    for head in contents(report(case, clerk, exhibit)).items[0].prechain:
        assert head.current is not None and not head.current.cut
        assert "".join(head.current.lines).count("〔U+202E〕" if head.id == "notary" else "字") == TEXT_MAX


def test_many_exhibits_share_the_room_and_what_is_cut_says_so(case: Case, clerk: User, party: User) -> None:
    exhibits = [courtroom.hand_in(case, party) for _ in range(3)]
    for exhibit in exhibits:
        courtroom.state(exhibit, party, source="字" * TEXT_MAX, notary="\n" * 4000 + "尾")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prechain, "PRINTED_MAX", 3 * 6 * 1000)
        found = contents(report(case, clerk, *exhibits))
    for item in found.items:
        printed = [h.current for h in item.prechain if h.current]
        assert all(s.cut and sum(len(line) + 1 for line in s.lines) <= 1002 for s in printed) and len(printed) == 2
        assert len(item.prechain_carried[0]["records"][0]["text"]) == TEXT_MAX


def test_a_page_of_line_breaks_makes_no_book(case: Case, clerk: User, party: User) -> None:
    exhibit = courtroom.hand_in(case, party)
    courtroom.state(exhibit, party, source="甲\n" * (TEXT_MAX // 2))
    said = contents(report(case, clerk, exhibit)).items[0].prechain[0].current
    assert said is not None and said.cut and len(said.lines) == prechain.LINES_MAX + 1


def test_the_axis_and_the_matrix_know_that_something_was_stated(case: Case, clerk: User, party: User) -> None:
    silent, speaking = courtroom.hand_in(case, party, origin=""), courtroom.hand_in(case, party, origin="")
    courtroom.state(speaking, party, witness="张三")
    one, two = contents(report(case, clerk, silent, speaking)).items
    assert (one.axes["pre_chain"], two.axes["pre_chain"]) == ("NOT_DECLARED", "DECLARED")
    rows = {a.row.id: a.machine[0][0].zh for a in two.law}
    assert "有陈述" in rows["CN-R18b-2"] and "没有陈述" in rows["CN-R18a-1"]


def test_the_next_report_shows_what_was_corrected_to_whoever_signs(case: Case, clerk: User, party: User) -> None:
    exhibit = courtroom.hand_in(case, party)
    courtroom.state(exhibit, party, source="甲")
    made = report(case, clerk, exhibit)
    before = built(made)
    courtroom.state(exhibit, party, source="乙", notary="丙")
    after = built(made)
    (item,) = differences.between(before, after).items
    assert [(c.words.zh, c.before, c.after) for c in item.stated] == [("具体来源", "甲", "乙"), ("公证机构公证", "", "丙")]
    old = {**before, "items": [{k: v for k, v in before["items"][0].items() if k != "pre_chain"}]}
    assert differences.between(old, before).items[0].stated[0].after == "甲", "an annex of before the six boxes is compared as silent"


def test_the_queries_do_not_grow_with_the_exhibits(case: Case, clerk: User, party: User) -> None:
    def asked(count: int) -> int:
        exhibits = [courtroom.hand_in(case, party) for _ in range(count)]
        for exhibit in exhibits:
            courtroom.state(exhibit, party, source="甲", notary="乙")
        made = Report.objects.get(pk=report(case, clerk, *exhibits).pk)
        with CaptureQueriesContext(connection) as queries:
            contents(made)
        return sum("exhibits_statement" in q["sql"] for q in queries)

    assert asked(1) == asked(4) == 1


def test_the_level_of_the_seal_is_named_as_intended_and_never_as_reached(case: Case, clerk: User, party: User) -> None:
    said = built(report(case, clerk, courtroom.hand_in(case, party)))["report"]["signature"]
    assert said["intended"] == "PAdES-B-LTA" and said["reached"] is None
    assert "拟达到" in said["note"]["zh"] and "intended" in said["note"]["en"]
