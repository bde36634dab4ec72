"""Signatures as of receipt and as of now on one page: the court's own clock and stores, what differs, and nothing where nothing differs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from cases.models import Case, Role, Side
from evidence.exhibits.models import Exhibit
from evidence.reports import annex, annex_schema
from evidence.reports import document as document_module
from evidence.runs import queue, receipt
from evidence.runs.models import Run
from evidence.verification import TrustStore, Verdict
from portal.people.models import User
from tests import courtroom
from tests.evidence.verification.pdf_exhibits import (
    AT,
    LISTS,
    MIDDLE,
    SEAL,
    SIGNED,
    Plan,
    crl,
    document,
    sign,
    text,
    trust,
    verdict,
)

from .test_pages import visit, words

pytestmark = pytest.mark.django_db

BARE = sign(document(text("The price is 100")), Plan(stamped=None)).data
STAMPED = sign(document(text("The price is 100"))).data
LATER = AT + timedelta(days=400)


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: object) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]


@pytest.fixture
def case() -> Case:
    return courtroom.case(321)


@pytest.fixture
def judge(case: Case) -> User:
    judge = courtroom.person("judge")
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    return judge


@pytest.fixture
def exhibit(case: Case) -> Exhibit:
    party = courtroom.person("party")
    courtroom.join(party, case, Role.LITIGANT, Side.PLAINTIFF)
    return courtroom.hand_in(case, party, files={"deed.pdf": BARE}, submitted_at=AT)


def as_of(at: datetime, data: bytes = BARE, store: TrustStore | None = None) -> Verdict:
    return verdict({"deed.pdf": data}, store, at=at)


def told(page: str) -> str:
    start = page.index('aria-labelledby="two-times"')
    return words(page[start : page.index("</section>", start)])


def test_after_receipt_there_is_one_verdict_and_the_other_is_asked_for(judge: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, as_of(AT))
    said = told(visit(judge, exhibit))
    assert "收到时 无法判定" in said and "2026-11-22 20:00:00" in said
    assert "收到以后还没有再次核验" in said and "按现在再次核验" in said


def test_what_time_took_away_is_said_beside_what_was_there(judge: User, exhibit: Exhibit) -> None:
    """The revocation list of the day of receipt has ended; it is kept, and so is the answer that rests on it."""
    courtroom.run(exhibit, as_of(AT))
    courtroom.run(exhibit, as_of(LATER))
    said = told(visit(judge, exhibit))
    assert "2026-11-22 20:00:00" in said and "2027-12-27 20:00:00" in said
    assert "签名的下列检查，两次的回答不同" in said
    then, now = as_of(AT).as_dict(), as_of(LATER).as_dict()
    pairs = receipt.differing(then["findings"], now["findings"])  # type: ignore[arg-type]
    assert [now["findings"][b]["check"] for _, b in pairs] == ["SIG.REVOCATION"]  # type: ignore[index]
    assert said.count("对象") == 1


def test_a_stamped_signature_is_not_touched_by_time(judge: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, as_of(AT, STAMPED))
    courtroom.run(exhibit, as_of(LATER, STAMPED))
    said = told(visit(judge, exhibit))
    assert said.count("核验一致") == 2 and "两次的回答都相同" in said


def test_a_newer_store_that_knows_of_a_revocation(judge: User, exhibit: Exhibit) -> None:
    known = trust(lists=(LISTS[0], crl(MIDDLE, revoked=[(SEAL, SIGNED - timedelta(days=1))], begin=AT + timedelta(days=1), end=LATER)))
    courtroom.run(exhibit, as_of(AT, STAMPED))
    courtroom.run(exhibit, as_of(AT + timedelta(days=2), STAMPED, known))
    said = told(visit(judge, exhibit))
    assert "收到时 核验一致" in said and "现在 无法判定" in said and "REVOKED_NO_POE" in said


def test_the_middle_verdicts_are_neither(judge: User, exhibit: Exhibit) -> None:
    for at in (AT, AT + timedelta(days=100), LATER):
        courtroom.run(exhibit, as_of(at))
    said = told(visit(judge, exhibit))
    assert "2026-11-22" in said and "2027-12-27" in said and "2027-03-02" not in said


def test_a_first_verdict_of_another_moment_is_not_called_one_of_receipt(judge: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, as_of(AT + timedelta(days=3)))
    said = told(visit(judge, exhibit))
    assert "首次核验时" in said and "收到时 " not in said.removeprefix("签名：收到时与现在").split("现在", 1)[1]


def test_where_nothing_is_signed_nothing_is_said_of_it(judge: User, case: Case, exhibit: Exhibit) -> None:
    other = courtroom.hand_in(case, exhibit.submitted_by)
    courtroom.run(other, courtroom.consistent())
    assert 'id="two-times"' not in visit(judge, other)


def test_in_english(judge: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, as_of(AT))
    courtroom.run(exhibit, as_of(LATER))
    said = told(visit(judge, exhibit, HTTP_ACCEPT_LANGUAGE="en"))
    assert "As of receipt" in said and "as of now" in said and "收" not in said


# ── the moment of a run ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_verdict_is_as_of_receipt_and_every_other_as_of_its_own_moment(exhibit: Exhibit) -> None:
    with transaction.atomic():
        queue.request(exhibit, by=None)
    first = queue.claim(worker="a")
    assert first is not None and first.at == AT and first.clock > AT
    # Another attempt of the same run asks the same question.
    Run.objects.filter(pk=first.pk).update(state=Run.State.QUEUED, lease_until=None)
    again = queue.claim(worker="b")
    assert again is not None and (again.attempt, again.at) == (2, AT)
    found = as_of(AT)
    assert queue.finish(again, document=found.to_json(), verdict=queue.VerdictColumns.of(found))
    assert receipt.verdict(exhibit) is not None and receipt.verdict(exhibit).at == AT  # type: ignore[union-attr]
    with transaction.atomic():
        queue.request(exhibit, by=None)
    second = queue.claim(worker="a")
    assert second is not None and second.at == second.clock > datetime.now(UTC) - timedelta(minutes=5)


def test_a_run_that_was_overtaken_is_still_as_of_receipt(exhibit: Exhibit) -> None:
    """Its worker died; the next run ended before it was taken up again. The page shows the run with the lowest number as the first."""
    for _ in range(2):
        with transaction.atomic():
            queue.request(exhibit, by=None)
    first, second = queue.claim(worker="a"), queue.claim(worker="b")
    assert first is not None and second is not None and first.pk < second.pk
    found = as_of(AT)
    assert queue.finish(second, document=found.to_json(), verdict=queue.VerdictColumns.of(found))
    Run.objects.filter(pk=first.pk).update(state=Run.State.QUEUED, lease_until=None)
    again = queue.claim(worker="c")
    assert again is not None and (again.pk, again.at) == (first.pk, AT)


def test_findings_of_one_name_are_paired_in_order() -> None:
    one = {"check": "SIG.CHAIN", "subject": "a.pdf · Seal", "outcome": "PASSED", "reason": None}
    two = {**one, "outcome": "INDETERMINATE", "reason": "NO_POE"}
    other = {"check": "DIGEST.MATCH", "subject": "a", "outcome": "FAILED", "reason": "HASH_FAILURE"}
    assert receipt.differing([one, two], [one, two]) == []
    assert receipt.differing([one, two, other], [one, one]) == [(1, 1)]
    assert receipt.differing([one], [one, two]) == [(None, 1)]
    assert receipt.differing([other, one, two], [one]) == [(2, None)]


@pytest.mark.parametrize("later", [0, 1])
def test_how_many_questions_the_page_asks(judge: User, exhibit: Exhibit, later: int, django_assert_max_num_queries: object, client: object) -> None:
    for n in range(1 + 5 * later):
        courtroom.run(exhibit, as_of(AT + timedelta(days=n)))
    client.force_login(judge)  # type: ignore[attr-defined]
    path = reverse("exhibits:exhibit", args=[exhibit.public_id])
    client.get(path)  # type: ignore[attr-defined]
    with django_assert_max_num_queries(40):  # type: ignore[operator]
        client.get(path)  # type: ignore[attr-defined]


# ── the report's data ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_annex_holds_what_the_verdict_as_of_receipt_said(exhibit: Exhibit) -> None:
    store = replace(trust(), digest="ab" * 32)
    first = courtroom.run(exhibit, as_of(AT, store=store)).verdict
    later = courtroom.run(exhibit, as_of(LATER, store=store)).verdict
    shown = document_module.item(later, passed_max=0, until=datetime.now(UTC))
    data = annex._result(shown)["as_of_receipt"]
    assert (data["run_number"], data["at"], data["verdict_sha256"]) == (1, "2026-11-22T12:00:00.000Z", first.sha256)
    assert data["differs"] == [
        {
            "check": "SIG.REVOCATION",
            "subject": "deed.pdf · Seal",
            "receipt": {"outcome": "PASSED", "reason": None},
            "now": {"outcome": "INDETERMINATE", "reason": "TRY_LATER"},
        }
    ]
    results = annex_schema.validator()
    wrong = [e.message for e in results.iter_errors({"results": [annex._result(shown)]}) if list(e.instance_path)[:1] == ["results"]]
    assert wrong == []


def test_the_annex_says_nothing_of_it_where_nothing_is_signed(case: Case, exhibit: Exhibit) -> None:
    other = courtroom.hand_in(case, exhibit.submitted_by)
    stored = courtroom.run(other, courtroom.consistent()).verdict
    assert "as_of_receipt" not in annex._result(document_module.item(stored, passed_max=0, until=datetime.now(UTC)))
