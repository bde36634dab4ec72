"""Real captures compared: one page that Perma's recorder captured twice, and one page in four forms.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Case, Role, Side
from evidence import worker
from evidence.captures import queue
from evidence.exhibits.models import Exhibit
from portal.people.models import User
from tests import courtroom

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors")
SNAPSHOTS = VECTORS / "snapshots"

if not SNAPSHOTS.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)

FORMS = (
    "mhtml/generated_chromium156_page.mhtml",
    "singlefile/generated_single-file-cli-2.0.83.html",
    "rendered/generated_page.pdf",
    "rendered/generated_page_screenshot.png",
)


@pytest.fixture
def case(tmp_path: Path, settings: Any) -> Case:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    return courtroom.case()


@pytest.fixture
def judge(case: Case) -> User:
    found = courtroom.person("judge")
    courtroom.join(found, case, Role.PRESIDING_JUDGE)
    return found


def handed_in(case: Case, judge: User, *names: str, side: str = Side.PLAINTIFF) -> Exhibit:
    found = courtroom.hand_in(case, judge, side, files={Path(n).name: (SNAPSHOTS / n).read_bytes() for n in names})
    queue.request(found)
    worked()
    return found


def worked() -> None:
    while worker.turn():
        pass


def compared(judge: User, *sides: tuple[Exhibit, int, int]) -> str:
    """The page, without markup, once the pair is compared."""
    client = Client()
    client.force_login(judge)
    path = reverse("captures:compare", args=[one for exhibit, position, number in sides for one in (exhibit.public_id, position, number)])
    assert client.get(path).status_code == 200
    worked()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(path).content.decode()))


def test_one_page_captured_twice_by_a_recorder(case: Case, judge: User) -> None:
    """The recorder's screenshots and PDFs were looked at: the page is the same, the PDF's line of text lies a part of a pixel higher."""
    before = handed_in(case, judge, "wacz-real/warcbench_before.wacz")
    after = handed_in(case, judge, "wacz-real/warcbench_after.wacz", side=Side.DEFENDANT)
    shown = compared(judge, (before, 1, 1), (after, 1, 1))
    assert "文字：1 行相同，0 行有改动，0 行只在左，0 行只在右" in shown
    assert "随文件保存的内容：3 项网址和内容都相同，3 项同一网址内容不同，0 项只在左，0 项只在右" in shown
    for name in ("file:///screenshot.png", "file:///pdf-snapshot.pdf", "file:///provenance-summary.html"):
        assert name in shown
    assert "5 个名称中 2 个不同" in shown and "date 不同" in shown and "last-modified 不同" in shown
    assert "2268 格中 0 格不同" in shown and "2583 格中 5 格不同" in shown and "指纹距离 0（共 64 位）" in shown
    turned = compared(judge, (after, 1, 1), (before, 1, 1))
    assert "3 项同一网址内容不同，0 项只在左，0 项只在右" in turned and "2583 格中 5 格不同" in turned


def test_what_the_recorder_says_of_its_two_captures(case: Case, judge: User) -> None:
    """The fifth item of either file is the recorder's own summary: other times and versions, the same otherwise."""
    before = handed_in(case, judge, "wacz-real/warcbench_before.wacz")
    after = handed_in(case, judge, "wacz-real/warcbench_after.wacz", side=Side.DEFENDANT)
    shown = compared(judge, (before, 1, 5), (after, 1, 5))
    counts = re.search(r"文字：(\d+) 行相同，(\d+) 行有改动，(\d+) 行只在左，(\d+) 行只在右", shown)
    assert counts is not None
    same, changed, left, right = map(int, counts.groups())
    assert same + changed + left == 72 and same + changed + right == 72 and 0 < changed + left < 15


def test_one_page_in_four_forms(case: Case, judge: User) -> None:
    """Every form against every other, among them a picture against text: always counts, never a fault."""
    exhibit = handed_in(case, judge, *FORMS)
    for left in range(1, 5):
        for right in range(1, 5):
            shown = compared(judge, (exhibit, left, 1), (exhibit, right, 1))
            if left == 4 and right == 4:
                assert "文字：两侧都没有" in shown
            elif 4 in (left, right):
                assert "文字：0 行相同，0 行有改动" in shown
            elif {left, right} == {1, 2}:
                assert "文字：3 行相同，0 行有改动，0 行只在左，0 行只在右" in shown, "saved by two programs, the same words"
            if {left, right} == {3, 4}:
                assert "两侧没有同一种图像" in shown and "格不同" in shown
