"""A verdict full of hostile values, as evidence can bring them: every page shows them as text, in reading order, and stands.

The pages are compared, tag by tag, with those of the same verdict with harmless values: what a value adds to a page is text.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Case, Party, Role, Side
from evidence.exhibits.models import Exhibit
from evidence.exhibits.reading import Reading
from evidence.runs.models import Run, RunVerdict
from portal.people.models import User
from tests import courtroom

pytestmark = pytest.mark.django_db

MARKUP = (
    "</title><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg/onload=alert(1)>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ settings.SECRET_KEY }}{% debug %}{% load i18n %}",
    "</style><link rel=attachment href=file:///etc/passwd>",
    "]]></desc></text></svg><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!--", "<a hx-get=/accounts/logout/ hx-trigger=load>x</a>", "=HYPERLINK(\"http://evil\")",
    "\u2028alert(1)\u2029", "%s %(x)s {0} {x} $x", "\\u003cscript\\u003e",
)
HIDING = ("invoice\u202efdp.exe", "a\u2066b\u2069c", "pass\u200bword", "x\u0000y", "\ufeffz", "a\x1b[2Jb", "Z\u0301" + "\u0321" * 60, "a\ud800b")
HOSTILE = MARKUP + HIDING
TIMES = (
    "2026-99-99T99:99:99Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0000-00-00T00:00:00Z",
    "2026-02-30T10:00:00+08:00", "2026-01-01T24:00:00Z", "2026-01-01T10:00:00+99:99", "2026-01-01T10:00:60Z", "2026-01-01T00:00:00.1234567Z",
)


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: object) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]


@pytest.fixture
def case() -> Case:
    return courtroom.case(123)


@pytest.fixture
def judge(case: Case) -> User:
    judge = courtroom.person("judge")
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    return judge


@pytest.fixture
def party(case: Case) -> User:
    party = courtroom.person("party")
    courtroom.join(party, case, Role.LITIGANT, Side.PLAINTIFF)
    return party


FREE = {"subject", "expected", "actual", "label", "file", "source", "name", "version"}
"""Members of a verdict that hold words of the evidence or of its certificates."""


def filled(value: Any, word: Callable[[str], str], name: str = "") -> Any:
    if isinstance(value, dict):
        return {k: filled(v, word, k) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(v, word, name) for v in value]
    return word(value) if name in FREE and isinstance(value, str) and name != "version" else value


def examined(exhibit: Exhibit, document: dict[str, Any], **fields: object) -> Run:
    run = courtroom.run(exhibit, state="done", **fields)
    RunVerdict.objects.create(
        run=run, document=json.dumps(document).encode(), sha256="0" * 64, overall=document["overall"], grade=document["grade"],
        engine=document["engine"], trust_sha256=document["trust"]["sha256"], at=document["at"],
    )
    return run


class Tags(HTMLParser):
    """Every tag with the names of its attributes, and the values of those that a browser acts upon."""

    ACTED_UPON = ("href", "src", "action", "formaction", "xlink:href", "hx-get", "hx-post", "style", "srcdoc")

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[tuple[object, ...]] = Counter()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        acted = tuple(v.partition("#")[0].split("/")[1:2][0] if v and "/" in v else "" for k, v in attrs if k in self.ACTED_UPON)
        self.found[(tag, tuple(sorted(k for k, _ in attrs)), acted)] += 1

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.found[("comment", data)] += 1


def tags(page: str) -> Tags:
    parser = Tags()
    parser.feed(page)
    parser.close()
    return parser


def pages(user: User, exhibit: Exhibit, *more: str) -> Iterator[tuple[str, str]]:
    client = Client()
    client.force_login(user)
    for address in (reverse("home"), reverse("case", args=[exhibit.case.public_id]), reverse("exhibits:exhibit", args=[exhibit.public_id]), *more):
        response = client.get(address)
        assert response.status_code == 200, address
        yield address, response.content.decode()
    response = client.get(reverse("exhibits:progress", args=[exhibit.public_id]), headers={"hx-request": "true"})
    assert response.status_code == 200
    yield "progress", response.content.decode()


VERDICTS = {"consistent": courtroom.consistent, "inconsistent": courtroom.inconsistent, "indeterminate": courtroom.indeterminate}


def handed_in(case: Case, party: User, word: str) -> Exhibit:
    Party.objects.filter(case=case).update(name=word[:100])
    return courtroom.hand_in(case, party, name=word[:200], purpose=word, origin=word, late_reason=word, files={word[:255].replace("\0", "") or "x": b"x"})


@pytest.mark.parametrize("hostile", MARKUP)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_value_adds_text_to_a_page_and_nothing_else(case: Case, judge: User, party: User, verdict: str, hostile: str) -> None:
    """To see it fail: put |safe behind any value of the exhibit's page, or leave escape() out of the drawing."""
    document = json.loads(VERDICTS[verdict]().to_json())
    harmless = "x" * len(hostile)
    shown = {}
    for word in (harmless, hostile):
        exhibit = handed_in(case, party, word)
        run = examined(exhibit, filled(document, lambda _text, w=word: w), released=True)
        report = courtroom.report(case, judge, run.verdict)
        for user in (judge, party):
            more = [reverse("reports:report", args=[report.public_id])] if user is judge else []
            for n, (_address, page) in enumerate(pages(user, exhibit, *more)):
                if n >= 2:  # lists hold both exhibits; the pages of one are compared
                    shown[word, user.username, n] = tags(page)
                elif word == hostile:
                    tags(page)
                    assert "<script>alert" not in page and "<img" not in page
    for (word, name, n), parsed in shown.items():
        if word == hostile:
            assert parsed.found == shown[harmless, name, n].found, (name, n)
    assert hostile.strip() in "".join(shown[hostile, "judge", 2].text) or "\u2028" in hostile


@pytest.mark.parametrize("hostile", HIDING)
def test_nothing_hides_or_turns_the_words_around_it(case: Case, judge: User, party: User, hostile: str) -> None:
    """A name that turns the direction of reading would turn the sentence of the portal beside it.

    To see it fail: show file.name or a finding's values without `legible`.
    """
    exhibit = handed_in(case, party, hostile.replace("\0", "\u202e").replace("\ud800", "\u202e"))
    examined(exhibit, filled(json.loads(courtroom.inconsistent().to_json()), lambda _text: hostile), released=True)
    for user in (judge, party):
        for address, page in pages(user, exhibit):
            hidden = {c for c in page if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} and c not in "\n\r\t"}
            assert not hidden, (address, [f"U+{ord(c):04X}" for c in hidden])
            assert "\u0321" * 4 not in page, "a tower of marks lies over the lines above"


@pytest.mark.parametrize("moment", TIMES)
def test_no_time_breaks_the_page(case: Case, judge: User, party: User, moment: str) -> None:
    """Stated times are put on the time line. To see it fail: let _instant raise."""
    document = json.loads(courtroom.consistent().to_json())
    said = {"source": "x", "text": moment, "by": "CAPTURE", "what": "CAPTURED"}
    document["stated"] = [{**said, "instant": moment}, {**said, "instant": "2026-03-01T08:00:00Z"}]
    exhibit = courtroom.hand_in(case, party)
    examined(exhibit, document, released=True)
    for user in (judge, party):
        text = dict(pages(user, exhibit))[reverse("exhibits:exhibit", args=[exhibit.public_id])]
        assert "2026-03-01 16:00:00" in text, "the readable time still stands on the line"


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_proven_time_at_the_edge_of_the_calendar(case: Case, judge: User, party: User, moment: str) -> None:
    document = json.loads(courtroom.consistent().to_json())
    document["time"]["not_after"] = moment
    exhibit = courtroom.hand_in(case, party)
    examined(exhibit, document, released=True)
    for user in (judge, party):
        assert "核验一致" in "".join(page for _, page in pages(user, exhibit))


def test_digests_and_addresses_are_not_touched_by_the_spelling_out() -> None:
    document = json.loads(courtroom.consistent().to_json())
    document["findings"][0]["actual"] = "https://例.example/路径?q=a/b\\c&é=1"
    reading = Reading(json.dumps(document).encode(), language="zh", declared=True)
    assert reading.answers[0].actual == document["findings"][0]["actual"]
