"""The pages of a report: what each person reads there, what a draft never tells, and how many questions a page asks."""

import csv
import io

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.models import Office, Role, Side
from evidence.reports import decisions, issuing, keys
from evidence.reports.models import Report, Signature
from portal.people.models import User
from tests import courtroom

from .life import Court

pytestmark = pytest.mark.django_db

QUERIES = {"report": 13, "sign": 13, "of_case": 6, "order": 8, "difference": 4, "report_own": 14}
"""As the judge, and as the clerk who made it; none grows with the exhibits, the other reports or the people of the case."""


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: User, name: str, *arguments: object, **query: str) -> HttpResponse:
    return signed_in(user).get(reverse(f"reports:{name}", args=arguments), query)


def said(response: HttpResponse) -> str:
    return response.content.decode()


# ── what a draft never tells ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", ["preparing", "draft", "checked", "sealing", "failed", "discarded"])
def test_parties_learn_nothing_of_a_report_that_is_not_signed(court: Court, state: str) -> None:
    """Not from its address, the case, the docket, the list, nor from the public check. To see it fail: drop `state__in` there."""
    made = courtroom.report(court.case, court.clerk, court.verdict, state=state, number="HY2026-000777")
    party = signed_in(court.party)
    for name in ("report", "state", "download", "draft", "difference", "sign"):
        assert party.get(reverse(f"reports:{name}", args=[made.public_id])).status_code == 404, name
    for address in (reverse("home"), reverse("case", args=[court.case.public_id]), reverse("reports:of_case", args=[court.case.public_id])):
        text = said(party.get(address))
        assert made.number not in text and str(made.public_id) not in text, address
    for asked in (
        {"number": made.number, "code": made.check_code},
        {"sha256": made.draft_sha256 or "0" * 64},
        {"sha256": made.annex_sha256 or "0" * 64},
    ):
        assert "没有查到" in said(Client().get(reverse("reports:check"), asked))


def test_the_draft_of_a_released_report_stays_with_the_court(court: Court) -> None:
    made = courtroom.report(court.case, court.clerk, court.verdict)
    courtroom.move(made, "released", by=court.judge, released_at=made.signed_at)
    text = said(page(court.party, "report", made.public_id))
    for name in ("clerk", "the-second-person"):
        assert User.objects.get(username=name).get_full_name() not in text
    assert made.annex_sha256 not in text
    for user in (court.party, court.judge):
        assert page(user, "draft", made.public_id).status_code == 404, "the signed report stands in its place"


def test_the_draft_is_the_courts_alone_and_says_so_wherever_it_is_named(court: Court) -> None:
    made = court.draft()
    for user in (court.clerk, court.assistant, court.judge, court.panel):
        found = page(user, "draft", made.public_id)
        assert found.status_code == 200 and found.content.startswith(b"%PDF-draft")
        assert "DRAFT-UNSIGNED" in found["Content-Disposition"] and found["Content-Disposition"].startswith("attachment")
        text = said(page(user, "report", made.public_id))
        assert "未签名" in text and "不得送达" in text and made.check_code not in text
        assert page(user, "download", made.public_id).status_code == 404


def test_a_superseded_report_names_its_successor_only_to_who_may_know_it(court: Court) -> None:
    old = courtroom.report(court.case, court.clerk, court.verdict, state="released")
    new = courtroom.report(
        court.case, court.clerk, court.verdict, number="HY2026-000888", supersedes=old, version=2, kind="correction", reason="机密的缘由"
    )
    courtroom.move(old, "superseded", by=court.judge, reason=new.number)
    text = said(page(court.party, "report", old.public_id))
    assert "已被取代" in text and new.number not in text
    assert new.number in said(page(court.judge, "report", old.public_id))
    courtroom.move(new, "released", by=court.judge, released_at=new.signed_at)
    assert new.number in said(page(court.party, "report", old.public_id))
    assert "机密的缘由" not in said(page(court.party, "report", new.public_id))
    assert "SUPERSEDED" in page(court.party, "download", old.public_id)["Content-Disposition"]


def test_nobody_is_told_to_wait_for_a_successor_that_was_revoked(court: Court) -> None:
    """A correction revoked before it was opened never comes. To see it fail: drop `successor_revoked`."""
    old = courtroom.report(court.case, court.clerk, court.verdict, state="released")
    new = courtroom.report(court.case, court.clerk, court.verdict, number="HY2026-000888", supersedes=old, version=2, kind="correction", reason="x")
    courtroom.move(old, "superseded", by=court.judge, reason=new.number)
    assert "新报告开放后会列在本案页面上" in said(page(court.party, "report", old.public_id))
    decisions.ask_to_revoke(new, by=court.clerk, reason="证据已撤回")
    decisions.revoke(new, by=court.judge)
    text = said(page(court.party, "report", old.public_id))
    assert "新的报告也已撤销" in text and "会列在本案页面上" not in text and new.number not in text
    assert new.number in said(page(court.judge, "report", old.public_id))


# ── what people are told ──────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_made_it_is_told_plainly_and_whom_to_ask(court: Court) -> None:
    made = court.draft("clerk")
    clerk = signed_in(court.clerk)
    text = said(clerk.get(reverse("reports:report", args=[made.public_id])))
    assert "须由另一人复核和签发" in text and court.judge.get_full_name() in text and court.assistant.get_full_name() in text
    tried = clerk.post(reverse("reports:approve", args=[made.public_id]), {"read": "yes", "annex": made.annex_sha256}, follow=True)
    assert tried.status_code == 200 and "这份报告是您生成的，复核须由另一人进行" in said(tried)
    made.refresh_from_db()
    assert made.state == "draft"


def test_nothing_is_checked_or_signed_without_having_been_read(court: Court) -> None:
    made = court.draft()
    for name, user in (("approve", court.assistant), ("sign", court.judge)):
        client = signed_in(user)
        without = client.post(reverse(f"reports:{name}", args=[made.public_id]), {"annex": made.annex_sha256}, follow=True)
        made.refresh_from_db()
        assert made.state == ("draft" if name == "approve" else "checked") and "请先" in said(without)
        client.post(reverse(f"reports:{name}", args=[made.public_id]), {"annex": made.annex_sha256, "read": "yes"})
    made.refresh_from_db()
    assert made.state == "sealing" and made.signed_by == court.judge


def test_a_failure_says_what_to_do_next(court: Court) -> None:
    made = courtroom.report(court.case, court.clerk, court.verdict, state="failed", stage="sealing", fault="")
    text = said(page(court.clerk, "report", made.public_id))
    assert "没有签成" in text and "请重试" in text and "重试</button>" in text
    text = said(page(court.panel, "report", made.public_id))
    assert "请书记员、法官助理或者审判长重试" in text and "请重试" not in text and "重试</button>" not in text
    other = courtroom.report(court.case, court.clerk, court.verdict, state="failed", stage="sealing", fault=f"ReportFault: {issuing.CHANGED}; order it again")
    text = said(page(court.clerk, "report", other.public_id))
    assert "重新生成草稿" in text and "重试</button>" not in text and "作废这份草稿" in text


def test_in_english_nothing_around_a_report_stays_in_chinese(court: Court) -> None:
    """Labels that annex and volumes keep in Chinese, counts, and where one is. To see it fail: leave `exhibit_label` out."""
    old = courtroom.report(court.case, court.clerk, court.verdict, state="released", volumes=[b"%PDF-1"])
    made = courtroom.report(court.case, court.clerk, court.verdict, state="checked", supersedes=old, version=2, kind="correction", reason="x")
    client = signed_in(court.judge)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    text = said(client.get(reverse("reports:report", args=[old.public_id])))
    assert "Annex volume 1 (Plaintiff&#x27;s exhibit 1 to Third party&#x27;s exhibit 12, PDF)" in text and ">My cases</a>" in text
    text = said(client.get(reverse("reports:sign", args=[made.public_id])))
    assert "exactly the same of 1 exhibit." in text and "原告证据" not in text
    assert "Verification reports" in said(client.get(reverse("reports:of_case", args=[court.case.public_id])))
    other = courtroom.report(court.case, court.clerk, courtroom.run(court.exhibit, courtroom.inconsistent()).verdict, state="checked")
    text = said(client.get(reverse("reports:difference", args=[other.public_id])))
    assert "Plaintiff&#x27;s exhibit 1" in text and "原告证据" not in text


def test_a_discarded_draft_leads_to_another(court: Court) -> None:
    made = courtroom.report(court.case, court.clerk, court.verdict, state="discarded")
    address = f"{reverse('reports:order', args=[court.case.public_id])}?like={made.public_id}"
    assert f'href="{address}"' in said(page(court.clerk, "report", made.public_id))
    assert address not in said(page(court.panel, "report", made.public_id))


def test_the_signing_page_shows_the_comparison_before_the_digest(court: Court) -> None:
    courtroom.report(court.case, court.clerk, courtroom.run(court.exhibit, courtroom.inconsistent()).verdict, state="released")
    newest = courtroom.run(court.exhibit, courtroom.consistent()).verdict
    made = courtroom.report(court.case, court.clerk, newest, state="checked")
    text = said(page(court.judge, "sign", made.public_id))
    before, now = text.index("核验不一致"), text.index("核验一致")
    assert before < now < text.index(f'<code class="mj-digest">{made.annex_sha256}')
    assert page(court.panel, "sign", made.public_id).status_code == 404


def test_a_whole_case_leaves_out_what_has_no_result_and_says_so(court: Court) -> None:
    courtroom.hand_in(court.case, court.party, name="还没有结论的证据")
    text = said(page(court.clerk, "order", court.case.public_id, whole="yes"))
    assert "还没有结论的证据" in text and "不在报告里" in text
    signed_in(court.clerk).post(reverse("reports:issue", args=[court.case.public_id]), {"whole": "yes", "language": "en", "profile": ["etsi", "fre902", "x"]})
    made = Report.objects.latest("pk")
    assert (made.language, made.profiles, list(made.verdicts.all())) == ("en", ["etsi", "fre902"], [court.verdict])


def test_a_correction_needs_its_kind_and_its_reason(court: Court) -> None:
    old = courtroom.report(court.case, court.clerk, court.verdict, state="released")
    client, count = signed_in(court.clerk), Report.objects.count()
    form = {"exhibit": [str(court.exhibit.public_id)], "supersedes": str(old.public_id)}
    for more in ({}, {"kind": "correction"}, {"reason": "x"}, {"kind": "single", "reason": "x"}):
        client.post(reverse("reports:issue", args=[court.case.public_id]), form | more)
        assert Report.objects.count() == count, more
    client.post(reverse("reports:issue", args=[court.case.public_id]), form | {"kind": "supplement", "reason": "新证据"})
    made = Report.objects.latest("pk")
    assert (made.kind, made.version, made.supersedes) == ("supplement", 2, old)
    elsewhere = courtroom.case(999)
    courtroom.join(court.clerk, elsewhere, Role.CLERK)
    foreign = courtroom.report(elsewhere, court.clerk, state="released")
    wrong = client.post(reverse("reports:issue", args=[court.case.public_id]), form | {"supersedes": str(foreign.public_id), "kind": "correction", "reason": "x"})
    assert wrong.status_code == 404 and Report.objects.latest("pk").case == elsewhere


# ── questions to the database ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("exhibits", [1, 7])
def test_no_page_asks_more_of_a_bigger_report(court: Court, exhibits: int) -> None:
    for n in range(exhibits):
        user = courtroom.person(f"more-{n}")
        courtroom.join(user, court.case, Role.LITIGANT, Side.DEFENDANT)
        courtroom.join(courtroom.person(f"assistant-{n}"), court.case, Role.JUDGE_ASSISTANT)
    verdicts = [courtroom.run(courtroom.hand_in(court.case, court.party), courtroom.consistent()).verdict for _ in range(exhibits)]
    old = courtroom.report(court.case, court.clerk, *verdicts, state="released")
    made = courtroom.report(court.case, court.clerk, *verdicts, state="checked", supersedes=old, version=2, kind="correction", reason="x")
    for _ in range(exhibits):
        courtroom.report(court.case, court.clerk, *verdicts)
    found = {}
    for name, key in (("report", made), ("sign", made), ("difference", made), ("of_case", court.case), ("order", court.case), ("report_own", made)):
        client = signed_in(court.clerk if name == "report_own" else court.judge)
        address = reverse(f"reports:{name.removesuffix('_own')}", args=[key.public_id]) + ("?whole=yes" if name == "order" else "")
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        found[name] = len(asked)
    assert found == QUERIES


# ── the drill for a compromised key ───────────────────────────────────────────────────────────────────────────────────

CERTIFICATE, OTHER = "ab" * 32, "cd" * 32


def stamp(of: Report, field: str, certificate: str, *, revision: int = 1, subject: str = "CN=法院电子签章") -> None:
    Signature.objects.create(
        report=of, revision=of.revisions.get(number=revision), field=field, certificate_sha256=certificate,
        subject=subject, serial="1f", level="PAdES-B-LTA", at=of.signed_at,
    )  # fmt: skip


@pytest.fixture
def auditor() -> User:
    holder = courtroom.person("auditor", court_staff=True)
    Office.give(holder, Office.Post.AUDITOR)
    return holder


def exported(user: User, certificate: str) -> list[dict[str, str]]:
    answer = signed_in(user).get(reverse("reports:key_csv", args=[certificate]))
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_the_drill_finds_every_revision_that_holds_the_signature(court: Court, auditor: User) -> None:
    """To see it fail: list the revision alone in which the signature was made."""
    one, other = (courtroom.report(court.case, court.clerk, court.verdict) for _ in range(2))
    stamp(one, "CourtSeal", CERTIFICATE)
    courtroom.revise(one, "e" * 64, reason="renewed")
    stamp(one, "DocTS2", OTHER, revision=2)
    stamp(other, "CourtSeal", OTHER)
    assert [(r["report"], r["revision"], r["newest"]) for r in exported(auditor, CERTIFICATE)] == [(one.number, "1", "no"), (one.number, "2", "yes")]
    assert {(r["report"], r["revision"], r["field"]) for r in exported(auditor, OTHER)} == {(one.number, "2", "DocTS2"), (other.number, "1", "CourtSeal")}
    text = said(page(auditor, "key", CERTIFICATE))
    assert one.number in text and other.number not in text and "e" * 64 in text
    assert court.case.number not in text + said(page(auditor, "keys"))


def test_a_fingerprint_is_taken_as_people_copy_it(court: Court, auditor: User) -> None:
    stamp(courtroom.report(court.case, court.clerk, court.verdict), "CourtSeal", CERTIFICATE)
    copied = " ".join(":".join(CERTIFICATE.upper()[n : n + 2] for n in range(0, 64, 2)).split())
    client = signed_in(auditor)
    assert client.get(reverse("reports:keys"), {"fingerprint": copied})["Location"] == reverse("reports:key", args=[CERTIFICATE])
    for wrong in ("ab", "x" * 64, "' OR 1=1", CERTIFICATE + "00"):
        assert "64" in said(client.get(reverse("reports:keys"), {"fingerprint": wrong})), wrong
    assert "没有报告" in said(page(auditor, "key", OTHER))
    assert client.get(reverse("reports:key", args=["not-a-digest"])).status_code == 404


@pytest.mark.parametrize("subject", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_of_the_export_is_a_formula(court: Court, auditor: User, subject: str) -> None:
    """A certificate's subject is what its owner wrote. To see it fail: leave out `_cell`."""
    stamp(courtroom.report(court.case, court.clerk, court.verdict), "CourtSeal", CERTIFICATE, subject=subject)
    [row] = exported(auditor, CERTIFICATE)
    assert row["subject"].startswith("'") and all(not cell.startswith(keys.FORMULA) for cell in row.values())


def test_reports_whose_signatures_were_not_read_are_not_passed_over(court: Court, auditor: User) -> None:
    made = courtroom.report(court.case, court.clerk, court.verdict, number="HY2026-000999")
    assert made.number in said(page(auditor, "keys"))
    stamp(made, "CourtSeal", CERTIFICATE)
    assert made.number not in said(page(auditor, "keys"))


def test_the_drill_is_of_the_offices_that_keep_keys(court: Court) -> None:
    supervisor = courtroom.person("supervisor", court_staff=True)
    Office.give(supervisor, Office.Post.SUPERVISOR)
    for user in (supervisor, court.judge, court.party):
        for name, arguments in (("keys", []), ("key", [CERTIFICATE]), ("key_csv", [CERTIFICATE])):
            assert page(user, name, *arguments).status_code == 404
