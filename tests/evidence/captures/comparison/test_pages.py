"""The pages of a comparison: whom they answer, what they say of hand-made captures, and that nothing in a capture becomes markup."""

import hashlib
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cases.access import may
from cases.models import Case, Role, Side
from evidence.captures.capture import Capture, Facts, Kind, Place, Resource, Run, View, ViewKind
from evidence.captures.comparison import resources, sides, working
from evidence.captures.comparison.resources import compare
from evidence.exhibits.models import Exhibit, ExhibitFile
from portal.people.models import User
from tests import courtroom

pytestmark = pytest.mark.django_db
XSS = "<script>alert(1)</script>\u202e\"'><img src=x onerror=alert(2)>"


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: Any) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[operator]


@pytest.fixture
def case() -> Case:
    return courtroom.case()


@pytest.fixture
def judge(case: Case) -> User:
    found = courtroom.person("judge")
    courtroom.join(found, case, Role.PRESIDING_JUDGE)
    return found


@pytest.fixture
def client(judge: User) -> Client:
    found = Client()
    found.force_login(judge)
    return found


def resource(url: str, content: str) -> Resource:
    return Resource(url, "text/css", 200, len(content), f"{ord(content):064x}")


def page(*lines: str, facts: Facts | None = None, kept: tuple[Resource, ...] = (), views: tuple[View, ...] = ()) -> Capture:
    runs = tuple(r for n, text in enumerate(lines) for r in (Run(text, n, 1), Run("\v", n, 0)))
    return Capture("file", Kind.PAGE, facts or Facts(), Place("a" * 64, "b" * 64, 7), runs, kept, views)


def of(exhibit: Exhibit, other: Exhibit, **query: str) -> str:
    path = reverse("captures:compare", args=[exhibit.public_id, 1, 1, other.public_id, 1, 1])
    return path + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")


def handed_in(case: Case, by: User, side: str, capture: Capture, **fields: Any) -> Exhibit:
    found = courtroom.hand_in(case, by, side, files={"page.html": repr(capture).encode()}, **fields)
    courtroom.read(found, capture)
    return found


def worked() -> None:
    while working.work_once():
        pass


def body(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return re.sub(r"\s+", " ", answer.content.decode())


LEFT = page(
    "第一行",
    "涉案作品的第二行文字",
    "只有左边有",
    facts=Facts(url="https://例.cn/作品", title="甲", ip="192.0.2.1", status=200, headers=(("Server", "nginx"), ("ETag", "a"), ("Via", "x"))),
    kept=(resource("https://a/1", "1"), resource("https://a/2", "2"), resource("https://a/3", "3"), resource("https://a/4", "4")),
)
RIGHT = page(
    "第一行",
    "涉案作品的第三行文字",
    "another line altogether",
    "and one more, added",
    facts=Facts(url="https://例.cn/作品", title="乙", status=200, headers=(("server", "nginx"), ("etag", "b"))),
    kept=(resource("https://a/1", "1"), resource("https://a/2", "9"), resource("https://b/3", "3"), resource("https://b/5", "5"), resource("https://b/6", "6")),
)


def test_the_counts_are_those_of_the_captures(case: Case, judge: User, client: Client) -> None:
    """Counted by hand above. To see it fail: count what moved as equal, or headers by the case of their letters."""
    left, right = handed_in(case, judge, Side.PLAINTIFF, LEFT), handed_in(case, judge, Side.DEFENDANT, RIGHT)
    waiting = body(client, of(left, right))
    assert "正在比较" in waiting and "hx-get=" in waiting
    worked()
    shown = body(client, of(left, right))
    assert "文字：1 行相同，1 行有改动，1 行只在左，2 行只在右" in shown
    assert "随文件保存的内容：1 项网址和内容都相同，1 项同一网址内容不同，2 项只在左，3 项只在右（其中 1 对字节相同、网址不同）" in shown
    assert "3 个名称中 2 个不同" in shown and 'hx-get="' not in shown
    assert '<mark class="mj-diff__mark">二</mark>' in shown and '<mark class="mj-diff__mark">三</mark>' in shown
    assert "仅为展示，不是核验结论" in shown and "时间先后" in shown
    turned = body(client, of(right, left))
    assert "文字：1 行相同，1 行有改动，2 行只在左，1 行只在右" in turned and "3 项只在左，2 项只在右（其中 1 对" in turned
    query = "涉案作品的第二行文字"
    assert f"{reverse('captures:find', args=[left.public_id])}?q=" in shown
    assert "找到 1 处" in body(client, reverse("captures:find", args=[left.public_id]) + f"?q={query}")


def test_facts_stand_beside_each_other_with_words_for_what_differs(case: Case, judge: User, client: Client) -> None:
    shown = body(client, of(handed_in(case, judge, Side.PLAINTIFF, LEFT), handed_in(case, judge, Side.DEFENDANT, RIGHT)))
    rows = {re.sub(r"<[^>]+>", "", r.split("</span>")[0]): re.sub(r"<[^>]+>", " ", r) for r in shown.split('role="rowheader">')[1:]}
    for label, word in {"网址": "相同", "标题": "不同", "服务器 IP": "只在左", "状态码": "相同", "server": "相同", "etag": "不同", "via": "只在左", "协议与 TLS": "都没有", "已证明的时间": "都没有"}.items():
        assert f" {word} " in rows[label], (label, rows[label])


def test_nothing_in_a_capture_becomes_markup(case: Case, judge: User, client: Client) -> None:
    """Every value that a party wrote. To see it fail: mark any of them as safe."""
    names = ("url", "final_url", "title", "claimed_time", "ip", "protocol", "content_type", "user_agent", "software", "capture_ip", "signer")
    facts = Facts(**{n: f"{n}{XSS}" for n in names}, headers=((f"X{XSS}", XSS), ("Same", XSS)))
    kept = tuple(Resource(f"https://{n}/{XSS}", XSS, 200, 1, f"{n:064x}") for n in range(3))
    one = page(XSS, f"这一行里有{XSS}甲", XSS * 9, facts=facts, kept=kept)
    other = page(f"这一行里有{XSS}乙", XSS * 8, "e" + "\u0301" * 50, facts=Facts(title=XSS), kept=kept[1:] + (Resource(f"https://0/{XSS}", XSS, 200, 1, "f" * 64),))
    left = handed_in(case, judge, Side.PLAINTIFF, one, name=XSS[:150])
    right = handed_in(case, judge, Side.DEFENDANT, other, name=XSS[:150])
    client.get(of(left, right))
    worked()
    choose = reverse("captures:compare_choose", args=[case.public_id])
    for path in (of(left, right), of(right, left), choose, f"{choose}?left={left.public_id}.1.1", f"{choose}?file={left.public_id}.1"):
        shown = client.get(path).content.decode()
        assert "<script>alert" not in shown and "<img src=x" not in shown and "\u202e" not in shown, path
        assert "〔U+202E〕" in shown, path
    assert "<img src=x" not in client.get(choose, {"q": XSS}).content.decode(), "the words of whoever looks, too"


def test_what_one_may_not_see_is_absent_on_either_side() -> None:
    """To see it fail: ask for the right of one side only."""
    cast = courtroom.cast()
    client = Client()
    client.force_login(cast.people["defendant"])
    nothing = str(uuid.uuid4())
    absent = client.get(reverse("captures:compare", args=[nothing, 1, 1, nothing, 1, 1])).content
    open_, closed = cast.exhibits["exchanged"], [cast.exhibits["own"], cast.exhibits["confidential"]]
    assert client.get(of(open_, cast.exhibits["defence"])).status_code == 200
    for hidden in closed:
        choose = reverse("captures:compare_choose", args=[cast.case.public_id])
        paths = [of(open_, hidden), of(hidden, open_), f"{choose}?left={hidden.public_id}.1.1", f"{choose}?file={hidden.public_id}.1"]
        for path in paths:
            answer = client.get(path)
            assert answer.status_code == 404
            assert re.sub(rb'value="\w+"', b"", answer.content) == re.sub(rb'value="\w+"', b"", absent), path
        assert str(hidden.public_id) not in client.get(choose).content.decode()


def test_what_is_offered_is_what_may_be_seen() -> None:
    """The query against the decision, for everybody. To see it fail: forget what is confidential."""
    cast = courtroom.cast()
    for name, user in cast.people.items():
        offered = {f.exhibit for f in sides.open_to(user, ExhibitFile.objects.filter(exhibit__case=cast.case))}
        assert offered == {e for e in cast.exhibits.values() if may(user, "evidence.view_content", e)}, name


def test_two_cases_are_not_compared(case: Case, judge: User, client: Client) -> None:
    elsewhere = courtroom.case(2)
    courtroom.join(judge, elsewhere, Role.PRESIDING_JUDGE)
    here, there = handed_in(case, judge, Side.PLAINTIFF, LEFT), handed_in(elsewhere, judge, Side.PLAINTIFF, RIGHT)
    assert client.get(of(here, there)).status_code == 404
    choose = reverse("captures:compare_choose", args=[case.public_id])
    assert client.get(f"{choose}?left={there.public_id}.1.1").status_code == 404
    assert client.get(f"{choose}?file={there.public_id}.1").status_code == 404


@pytest.mark.parametrize("token", ["x", "..", f"{uuid.UUID(int=1)}.1.1", f"{uuid.UUID(int=1)}.99999.1", f"{uuid.UUID(int=1)}.1.1.1", "\u0661"])
def test_an_address_that_names_nothing_is_absent(case: Case, judge: User, client: Client, token: str) -> None:
    exhibit = handed_in(case, judge, Side.PLAINTIFF, LEFT)
    choose = reverse("captures:compare_choose", args=[case.public_id])
    assert {client.get(f"{choose}?{name}={token}").status_code for name in ("left", "file")} == {404}
    for rest in ((1, 2), (2, 1), (99_999, 1), (10**18, 1), (1, 10**18), (0, 1)):
        assert client.get(reverse("captures:compare", args=[exhibit.public_id, 1, 1, exhibit.public_id, *rest])).status_code == 404, rest


def test_a_case_with_many_exhibits_is_paged_and_searched(case: Case, judge: User, client: Client) -> None:
    for n in range(45):
        handed_in(case, judge, Side.PLAINTIFF, page(f"第 {n} 件"), name=f"快照之{n}")
    many = courtroom.hand_in(case, judge, Side.DEFENDANT, files={"many.wacz": b"x"}, name="被诉网站")
    courtroom.read(many, *(Capture(f"file.{n}", Kind.PAGE, Facts(title=f"网页{n}"), Place("a" * 64, "b" * 64, 1)) for n in range(3)))
    choose = reverse("captures:compare_choose", args=[case.public_id])
    assert "第 1 页，共 3 页" in body(client, choose) and "快照之44" in body(client, f"{choose}?page=3")
    found = body(client, f"{choose}?q=被诉网站")
    assert "many.wacz" in found and "快照之" not in found and "3 项可选" in found
    assert "快照之41" in body(client, f"{choose}?q=原告证据42") and "没有找到" in body(client, f"{choose}?q=没有的")
    opened = body(client, f"{choose}?left={many.public_id}.1.1&file={many.public_id}.1")
    inside = reverse("captures:compare", args=[many.public_id, 1, 1, many.public_id, 1, 3])
    assert inside in opened and "网页0</span>" in opened and "已在左侧" in opened
    assert "两侧出自同一个文件" in body(client, inside)
    assert "两侧选的是同一项" in body(client, reverse("captures:compare", args=[many.public_id, 1, 1, many.public_id, 1, 1]))


def test_pages_and_thresholds_stand_in_the_address(case: Case, judge: User, client: Client) -> None:
    words = "处处相同的一段很长的文字在这里有二十七个字不多也不少正好"
    left = handed_in(case, judge, Side.PLAINTIFF, page(*(f"左{n} {n * 7919}" for n in range(700)), words))
    right = handed_in(case, judge, Side.DEFENDANT, page(words, *(f"right {n * 104729}" for n in range(700))))
    client.get(of(left, right))
    worked()
    first, second = body(client, of(left, right)), body(client, of(left, right, page="2", least="30"))
    assert "第 1 页，共" in first and "第 2 页，共" in second and len(first) < 600_000
    assert words in first and "没有连续相同 30 字以上的段落" in second
    assert body(client, of(left, right, page="x", least="x")) and body(client, of(left, right, page="-1", least="0"))


def test_what_could_not_be_compared_is_said(case: Case, judge: User, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = handed_in(case, judge, Side.PLAINTIFF, LEFT), handed_in(case, judge, Side.DEFENDANT, RIGHT)
    monkeypatch.setattr(working, "look", lambda pair: "RESOURCE_LIMIT: memory")
    client.get(of(left, right))
    worked()
    shown = body(client, of(left, right))
    assert "文字没有能够比较" in shown and 'hx-get="' not in shown and "标题" in shown
    monkeypatch.setattr("evidence.captures.comparison.queue.WAITING_MAX", 0)
    third = handed_in(case, judge, Side.DEFENDANT, page("x"))
    assert "等待比较的内容太多" in body(client, of(left, third))


def test_pictures_are_shown_when_they_are_compared(case: Case, judge: User, client: Client) -> None:
    view = View(ViewKind.SCREENSHOT, hashlib.sha256(courtroom.PICTURE).hexdigest(), 1, 1)
    left, right = (handed_in(case, judge, side, page(side, views=(view,))) for side in (Side.PLAINTIFF, Side.DEFENDANT))
    overlay = reverse("captures:compare_picture", args=[left.public_id, 1, 1, right.public_id, 1, 1, 1, "overlay"])
    assert client.get(overlay).status_code == 404, "not compared yet"
    assert "正在比较这两幅图像" in body(client, of(left, right))
    worked()
    shown = body(client, of(left, right))
    assert overlay in shown and "指纹距离 0（共 64 位）" in shown and "仅供参考" in shown and "1 格中 0 格不同" in shown
    answer = client.get(overlay)
    assert (answer.status_code, answer["Content-Type"], answer.content[:4]) == (200, "image/png", b"\x89PNG")
    assert "sandbox" in answer["Content-Security-Policy"] and answer["X-Content-Type-Options"] == "nosniff"
    for wrong in (overlay.replace("/1/overlay", "/2/overlay"), overlay.replace("overlay", "else"), overlay.replace("/1/overlay", "/0/overlay")):
        assert client.get(wrong).status_code == 404


# ── resources ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_resources_by_address_and_digest() -> None:
    left = [resource("u", "1"), resource("u", "1"), resource("u", "2"), resource("v", "3"), resource("w", "4")]
    right = [resource("u", "1"), resource("u", "5"), resource("x", "3"), resource("y", "3")]
    found = compare(left, right)
    turned = compare(right[::-1], left[::-1])
    assert (len(found.equal), len(found.changed), len(found.left), len(found.right), len(found.moved)) == (1, 1, 3, 2, 1)
    assert [(a.url, b.url) for a, b in found.moved] == [("v", "x")]
    assert turned == resources.Compared(found.equal, tuple((b, a) for a, b in found.changed), found.right, found.left, tuple((b, a) for a, b in found.moved))
    assert not compare([], []).any and compare([], left).right
