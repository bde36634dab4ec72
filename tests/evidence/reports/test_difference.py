"""What stands before the signature: the comparison says all that is said otherwise, and without it nobody is asked to have seen it."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.urls import reverse

from evidence.reports import decisions, differences
from evidence.reports.models import Report
from portal.vault import Vault
from tests import courtroom

from .life import Court, Press
from .test_report_pages import page, said, signed_in

pytestmark = pytest.mark.django_db


def annex(**law: str) -> dict[str, Any]:
    return {
        "report": {"language": "zh", "profiles": []},
        "items": [{"evidence_no": "原告证据1", "name": "a", "files": []}],
        "results": [{"item": "原告证据1", "run_id": "1", "overall": "CONSISTENT", "assurance": "A", "verdict": {"findings": []}}],
        "legal": [{"item": "原告证据1", "id": row, "status": status} for row, status in law.items()],
        "questions": {row: {"question": {"zh": f"问{row}", "en": f"Q{row}"}} for row in law},
    }


def test_an_answer_of_the_rule_matrix_that_changed_is_no_sameness() -> None:
    """A newer portal may answer a question of the law otherwise on the same verdict. To see it fail: compare verdicts only."""
    before, after = annex(R16="supported_by_checks", E93="needs_human"), annex(R16="needs_human", E93="needs_human")
    found = differences.between(before, after)
    (item,) = found.items
    (one,) = item.law
    assert (one.words.zh, one.before, one.after) == ("问R16", "supported_by_checks", "needs_human") and found.same == 0
    assert differences.between(before, before).same == 1 and not differences.between(before, before)


def test_a_question_that_only_one_of_them_asks_is_said_once_and_not_for_each_exhibit() -> None:
    before, after = annex(R16="needs_human"), annex(R16="needs_human", R17="needs_human")
    found = differences.between(before, after)
    assert not found.items and [c.after for c in found.sentences] == ["问R17 / QR17"]
    old = {name: value for name, value in annex(R16="needs_human").items() if name not in ("legal", "questions")}
    assert not differences.between(old, after).items, "an annex of before the rule matrix"


def test_pages_and_forms_that_come_with_it_are_said() -> None:
    before, after = annex(), annex()
    after["report"]["profiles"] = ["etsi", "fre902"]
    (one,) = differences.between(before, after).frame
    assert (one.before, one.after) == ("", "etsi, fre902")


def test_the_changed_answer_stands_on_the_page_in_the_reader_s_words(court: Court, press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    made = courtroom.report(court.case, court.clerk, court.verdict, state="checked")
    courtroom.report(court.case, court.clerk, court.verdict)
    told = iter([annex(R16="needs_human"), annex(R16="supported_by_checks")])
    monkeypatch.setattr(differences, "annex_of", lambda report: next(told))
    text = said(page(court.judge, "sign", made.public_id))
    assert text.index("问R16") < text.index("检查支持") < text.index("需要人判断")


# ── no comparison ─────────────────────────────────────────────────────────────────────────────────────────────────────


def spoil(report: Report) -> None:
    place = Vault(django_settings.PORTAL_VAULT_DIR).path(report.annex_sha256)
    place.chmod(0o640)
    place.write_bytes(b"{}")


def test_content_that_cannot_be_read_is_not_offered_to_be_signed(court: Court) -> None:
    made = court.draft()
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    spoil(made)
    text = said(page(court.judge, "sign", made.public_id))
    assert "不能比较" in text and "不能签发" in text and 'name="annex"' not in text


def test_nobody_confirms_to_have_seen_a_comparison_that_there_was_not(court: Court) -> None:
    """The report before is lost, its correction must remain possible: what is confirmed is what was done."""
    old = courtroom.report(court.case, court.clerk, court.verdict, state="released", language="zh")
    made = courtroom.report(court.case, court.clerk, court.verdict, state="checked", supersedes=old, version=2, kind="correction", reason="x")
    spoil(old)
    text = said(page(court.judge, "sign", made.public_id))
    assert "系统不能比较。我已对照" in text and "我已看过比较和草稿" not in text
    signed_in(court.judge).post(reverse("reports:sign", args=[made.public_id]), {"annex": made.annex_sha256, "read": "yes"})
    made.refresh_from_db()
    assert made.state == "sealing"
