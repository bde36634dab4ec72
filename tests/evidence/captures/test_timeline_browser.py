"""The time line in a real browser: a phone of 360 px and a desk, Chinese and English, hostile words among the times."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import Page

from cases.models import Case, Role, Side
from evidence.captures import timeline
from evidence.exhibits.models import Exhibit
from evidence.runs.models import Run, RunVerdict
from portal.people.models import User
from tests import courtroom
from tests.evidence.captures.test_timeline import EARLY, LATER, A, B, document, proof, stated, track
from tests.evidence.intake.browser import DESK, PHONE, chromium
from tests.evidence.verification.test_forensic_package import COURT, NINE
from tests.evidence.verification.test_hashlist import CHECK_LOG, examine, files, package
from tests.screens import look, speak

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
NARROW = {**PHONE, "width": 360}
CLAIMS = [
    stated("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    stated("2001-03-01T02:00:00+00:00", "2001-03-01T02:00:00.000Z", what="PUBLISHED"),
    stated("2024-02-29T18:00:00.010-08:00", "2024-03-01T02:00:00.010Z", source="page.html · " + "长" * 120),
    stated("2024-03-01 10:00:00", None, what="ISSUED", source="证书\u202e<script>alert(1)</script>.json", by="PLATFORM"),
    stated("9999-01-01T00:00:00Z", "9999-01-01T00:00:00.000Z", what="LOGGED"),
]


@pytest.fixture(autouse=True)
def _playwright_runs_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def judge() -> User:
    return courtroom.person("judge")


@pytest.fixture
def case(judge: User, tmp_path: Path, settings: Any) -> Case:
    """A case with a proven file with odd claims, a later proven one, one without proof, one that was refuted and one not verified."""
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    found = courtroom.case()
    courtroom.join(judge, found, Role.PRESIDING_JUDGE)
    verdicts = (
        (Side.PLAINTIFF, [proof(EARLY)], CLAIMS, "CONSISTENT"),
        (Side.DEFENDANT, [proof(LATER, basis="TSA", grade="A", accuracy=1)], [], "CONSISTENT"),
        (Side.PLAINTIFF, [], CLAIMS[1:2], "INDETERMINATE"),
        (Side.DEFENDANT, [proof(EARLY)], [], "INCONSISTENT"),
        (Side.DEFENDANT, None, [], ""),
    )
    for n, (side, walks, claims, overall) in enumerate(verdicts):
        exhibit = courtroom.hand_in(found, judge, side, files={"page.html": b"%d" % n})
        courtroom.read(exhibit)
        if walks is not None:
            conclude(exhibit, walks, claims, overall)
    return found


def conclude(exhibit: Exhibit, walks: list[dict[str, Any]], claims: list[dict[str, Any]], overall: str) -> None:
    file = exhibit.files.get()
    own = [{**w, "sha256": file.sha256} for w in walks]
    made = document(*own, stated=claims, overall=overall)
    made["sources"] = [{"name": file.name, "sha256": file.sha256, "format": "singlefile"}]
    data = json.dumps(made).encode()
    run = Run.objects.create(exhibit=exhibit, number=1, state=Run.State.DONE)
    RunVerdict.objects.create(
        run=run, document=data, sha256=hashlib.sha256(data).hexdigest(), overall=overall, grade="B", at=datetime.now(UTC), engine="x", trust_sha256="0" * 64
    )


@pytest.fixture(params=[NARROW, DESK], ids=["phone", "desk"])
def page(request: Any, live_server: Any, judge: User) -> Iterator[Page]:
    complaints: list[str] = []
    with chromium(live_server.url, judge, size=request.param) as context:
        this = context.new_page()
        this.on("pageerror", lambda fault: complaints.append(str(fault)))
        this.on("dialog", lambda d: (complaints.append(d.message), d.dismiss()))
        this.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        this.width = "phone" if request.param is NARROW else "desk"  # type: ignore[attr-defined]
        yield this
    assert complaints == []


def pair(language: str) -> str:
    """The part of the page that compares two captures, as the server makes it."""
    with translation.override(language):
        one = track(document(proof(EARLY), stated=CLAIMS), label="原告证据1 · 作品首发页快照.html")
        other = track(document(proof(LATER, sha256=B), stated=CLAIMS[1:2]), sha256=B, label="被告证据12 · " + "x" * 90 + ".wacz")
        return render_to_string("evidence/captures/_timeline.html", {"timeline": timeline.of_two(one, other)})


def test_the_timeline_is_readable(page: Page, live_server: Any, case: Case) -> None:
    """Nothing beyond the edge, accessible, no script needed. To see it fail: give a row a fixed width."""
    assert A != B
    address = live_server.url + reverse("captures:timeline", args=[case.public_id])
    for language, code in (("zh", "zh-hans"), ("en", "en")):
        page.goto(address)
        if language == "en":
            speak(page, "en")
            page.goto(address)
        look(page, f"timeline-case-{page.width}-{language}")  # type: ignore[attr-defined]
        page.evaluate("html => { document.querySelector('.mj-lanes').outerHTML = html }", pair(code))
        look(page, f"timeline-pair-{page.width}-{language}")  # type: ignore[attr-defined]
        if page.width == "desk":  # type: ignore[attr-defined]
            page.emulate_media(media="print")
            look(page, f"timeline-pair-print-{language}")
            page.emulate_media(media="screen")


def test_a_forensic_package_is_readable(page: Page, live_server: Any, case: Case, judge: User) -> None:
    lines = [line for line in CHECK_LOG.splitlines() if "ping" not in line.lower()] + ["异常 <script>alert(1)</script>" + "x" * 300]
    nine = {n: d for n, d in NINE.items() if n != "录屏.avi"} | {"x" * 90 + ".png": b"\x89PNG"}
    data = package({**files(), **nine, "自清洁检查日志.txt": "\n".join(lines).encode()})
    exhibit = courtroom.hand_in(case, judge, files={"取证包.zip": data})
    courtroom.run(exhibit, examine(data, store=COURT))
    address = live_server.url + reverse("exhibits:exhibit", args=[exhibit.public_id])
    for language in ("zh", "en"):
        page.goto(address)
        if language == "en":
            speak(page, "en")
            page.goto(address)
        look(page, f"package-{page.width}-{language}")  # type: ignore[attr-defined]
