"""A court with everybody who has a part in a report's life, and a press that stands in for rendering and signing."""

import hashlib
from typing import Any

from django.db import transaction

from cases.models import Case, Role, Side
from evidence.reports import decisions, edition, issuing, signing
from evidence.reports.models import Report
from evidence.reports.wording import Words
from portal.people.models import User
from tests import courtroom


class Press:
    """Stands in for rendering and signing; what it prints can be changed under the report's feet."""

    def __init__(self) -> None:
        self.says = b'{"custody":[],"x":1}'
        self.sealing_fails = ""
        self.drafts: list[bool] = []

    def make(self, report: Report, *, issued: Any, draft: bool = False) -> edition.Edition:
        self.drafts.append(draft)
        pdf = b"%PDF-" + (b"draft " if draft else b"final ") + report.number.encode()
        return edition.Edition(pdf, self.says, hashlib.sha256(self.says).hexdigest(), Words("法院", "Court"))

    def seal(self, pdf: bytes, **_: object) -> signing.Signed:
        if b"draft" in pdf:
            raise AssertionError("a draft came to be signed")
        if self.sealing_fails:
            raise edition.ReportFault(self.sealing_fails)
        return signing.Signed(pdf + b" sealed", "PAdES-B-LTA")


class Court:
    def __init__(self) -> None:
        self.case: Case = courtroom.case()
        roles = {"clerk": Role.CLERK, "assistant": Role.JUDGE_ASSISTANT, "judge": Role.PRESIDING_JUDGE, "panel": Role.PANEL_JUDGE}
        self.people: dict[str, User] = {name: courtroom.person(name) for name in roles}
        for name, role in roles.items():
            courtroom.join(self.people[name], self.case, role)
        self.party = courtroom.person("party")
        courtroom.join(self.party, self.case, Role.LITIGANT, Side.PLAINTIFF)
        self.exhibit = courtroom.hand_in(self.case, self.party)
        self.verdict = courtroom.run(self.exhibit, courtroom.consistent()).verdict

    def __getattr__(self, name: str) -> User:
        return self.people[name]

    def order(self, by: str = "clerk", **more: Any) -> Report:
        with transaction.atomic():
            return issuing.order(self.case, [self.verdict], by=self.people[by], **more)

    def draft(self, by: str = "clerk", **more: Any) -> Report:
        return issuing.produce(self.order(by, **more).pk)

    def signed(self, by: str = "clerk", **more: Any) -> Report:
        made = self.draft(by, **more)
        decisions.check(made, by=self.assistant, annex=made.annex_sha256)
        decisions.send(made, by=self.judge, annex=made.annex_sha256)
        return issuing.produce(made.pk)
