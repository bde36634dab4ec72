"""A render is asked for by a person, made once, kept, shown beside the party's screenshot; whatever happens on the way is said."""

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.urls import reverse
from PIL import Image

from cases.models import Role, Side
from evidence.captures.capture import Capture, Facts, Kind, Place, View, ViewKind
from evidence.captures.models import CourtRender, Renderer
from evidence.captures.rendering import checks, drawing, program, queue, section, working
from evidence.exhibits.models import Exhibit
from portal.people.models import User
from portal.vault import Vault
from tests import courtroom

pytestmark = pytest.mark.django_db

PAGE = "<!doctype html><meta charset=utf-8><title>作品</title><body style='margin:0;background:#fff'><div style='background:#f00;width:300px;height:200px'></div>".encode()
MHTML = (
    b"From: <Saved by Blink>\r\nSnapshot-Content-Location: http://a.example/\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/related; type="text/html"; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n'
    b"Content-Location: http://a.example/\r\n\r\n" + PAGE + b"\r\n--b--\r\n"
)
VERSION = "150.0.1.2"


@pytest.fixture(autouse=True)
def vault(tmp_path: Path, settings: Any) -> Vault:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    return Vault(tmp_path / "vault")


@pytest.fixture(autouse=True)
def _announced_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "_announced", (float("-inf"), ""))


@pytest.fixture
def judge() -> User:
    return courtroom.person("judge")


def exhibit_of(judge: User, **files: bytes) -> Exhibit:
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    return courtroom.hand_in(case, judge, files={name.replace("_", "."): data for name, data in files.items()})


def read(exhibit: Exhibit) -> None:
    """By the reader itself."""
    from evidence.captures import queue as readings
    from evidence.captures import working as reading

    readings.request(exhibit)
    while reading.work_once():
        pass


@pytest.fixture
def exhibit(judge: User) -> Exhibit:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "blue").save(out, "PNG")
    found = exhibit_of(judge, page_html=PAGE, shot_png=out.getvalue())
    courtroom.run(found, courtroom.consistent())
    read(found)
    return found


@pytest.fixture
def renderer() -> Renderer:
    queue.announce("here", browser=VERSION, fault="")
    return Renderer.objects.get()


def asked(exhibit: Exhibit, judge: User, **changed: Any) -> bool:
    file = exhibit.files.order_by("position").first()
    assert file is not None
    given = {"capture": "file", "form": "HTML", "source_sha256": file.sha256, "browser": VERSION, "by": judge} | changed
    return queue.ask(file, **given)


def page_of(exhibit: Exhibit, user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.get(reverse("captures:capture", args=[exhibit.public_id, 1, 1])).content.decode()


def press(exhibit: Exhibit, user: User, position: int = 1) -> int:
    client = Client()
    client.force_login(user)
    return int(client.post(reverse("captures:render", args=[exhibit.public_id, position, 1])).status_code)


# ── from the button to the picture ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("form", ["HTML", "MHTML", "SAFE_HTML"])
def test_from_the_button_to_the_picture(judge: User, vault: Vault, form: str) -> None:
    """The original bytes of a saved page; of an archive, the page without scripts that the reader made of it."""
    if form == "SAFE_HTML":
        exhibit = exhibit_of(judge, crawl_warc=b"WARC/1.1\r\n")
        file = exhibit.files.get()
        safe = vault.put_bytes(PAGE)
        place = Place(file_sha256=file.sha256, payload_sha256="0" * 64, payload_size=9, record_offset=0, record_length=9)
        courtroom.read(exhibit, Capture("record@0", Kind.PAGE, Facts(), place, views=(View(ViewKind.SAFE_HTML, safe.sha256, 0, 0),)))
    else:
        exhibit = exhibit_of(judge, page_html=PAGE if form == "HTML" else MHTML)
        read(exhibit)
    courtroom.run(exhibit, courtroom.consistent())
    version = working.announce()
    assert version == program.version()
    assert "由本院绘制</button>" in page_of(exhibit, judge)
    assert press(exhibit, judge) == 302 and press(exhibit, judge) == 302
    row = CourtRender.objects.get()
    assert (row.form, row.state, row.browser, row.asked_by) == (form, "queued", version, judge)
    assert "正在绘制" in page_of(exhibit, judge)
    working.turn()
    row.refresh_from_db()
    assert (row.state, row.width, row.height, row.loaded, row.fault) == ("done", 1280, 900, True, "")
    shown = page_of(exhibit, judge)
    assert f"用 Chromium {version} 绘制，脚本关闭，不连接网络" in shown and "仅为展示" in shown
    client = Client()
    client.force_login(judge)
    answer = client.get(reverse("captures:render_picture", args=[exhibit.public_id, 1, 1]))
    assert answer["Content-Type"] == "image/png" and "sandbox" in answer["Content-Security-Policy"]
    picture = Image.open(io.BytesIO(answer.content)).convert("RGB")
    assert {colour: count for count, colour in picture.getcolors() or []}[(255, 0, 0)] == 300 * 200
    assert not CourtRender.objects.filter(state="queued").exists() and press(exhibit, judge) == 302 and CourtRender.objects.count() == 1


def test_the_partys_screenshot_stands_beside(exhibit: Exhibit, judge: User, renderer: Renderer, vault: Vault) -> None:
    assert asked(exhibit, judge)
    made(vault)
    shown = page_of(exhibit, judge)
    assert "当事人的截图" in shown and "shot.png" in shown
    assert reverse("captures:picture", args=[exhibit.public_id, 2, 1, 1]) in shown
    assert "网页宽 1280 点、高 99999 点" in shown and "网页要从别处取 7 项内容" in shown


def made(vault: Vault, **changed: Any) -> None:
    """The render that waits, as if drawn."""
    claim = queue.RENDERS.claim(Q(browser=VERSION))
    assert claim is not None
    stored = vault.put_bytes(courtroom.PICTURE)
    sizes = {"width": 1, "height": 1, "full_width": 1280, "full_height": 99_999, "refused": 7, "loaded": True}
    assert queue.RENDERS.finish(claim, picture_sha256=stored.sha256, **sizes)


def test_nothing_else_is_rendered(judge: User, renderer: Renderer) -> None:
    """A picture, a page of an archive without its safe form: no section, no button, 404 for who posts all the same."""
    exhibit = exhibit_of(judge, crawl_warc=b"WARC/1.1\r\n")
    file = exhibit.files.get()
    place = Place(file_sha256=file.sha256, payload_sha256="0" * 64, payload_size=9, record_offset=0)
    courtroom.read(exhibit, Capture("record@0", Kind.PAGE, Facts(), place))
    courtroom.run(exhibit, courtroom.consistent())
    assert "court-render" not in page_of(exhibit, judge) and press(exhibit, judge) == 404
    assert not CourtRender.objects.exists()


# ── who may ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_may_not_see_the_content_neither_asks_nor_sees(exhibit: Exhibit, judge: User, renderer: Renderer, vault: Vault) -> None:
    asked(exhibit, judge)
    made(vault)
    other = courtroom.person("other")
    courtroom.join(other, exhibit.case, Role.LITIGANT, Side.DEFENDANT)
    for user in (other, courtroom.person("nobody")):
        client = Client()
        client.force_login(user)
        assert press(exhibit, user) == 404
        assert client.get(reverse("captures:render_picture", args=[exhibit.public_id, 1, 1])).status_code == 404
    assert CourtRender.objects.count() == 1


def test_the_same_file_in_another_case_says_nothing(exhibit: Exhibit, judge: User, renderer: Renderer, vault: Vault) -> None:
    """That somebody elsewhere asked for the same page would tell that it lies there too. To see it fail: key a render by digest alone."""
    asked(exhibit, judge)
    made(vault)
    case = courtroom.case(2)
    party = courtroom.person("party")
    courtroom.join(party, case, Role.LITIGANT, Side.PLAINTIFF)
    twin = courtroom.hand_in(case, party, files={"page.html": PAGE})
    assert "由本院绘制</button>" in page_of(twin, party)


# ── where there is no browser ─────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_renderer_the_page_says_so(exhibit: Exhibit, judge: User) -> None:
    assert "本院没有安装用于绘制网页的浏览器（Chromium），或绘制程序没有运行" in page_of(exhibit, judge)
    assert press(exhibit, judge) == 302 and not CourtRender.objects.exists()


def test_where_the_network_cannot_be_cut_off_nothing_is_drawn(exhibit: Exhibit, judge: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "version", lambda: VERSION)
    monkeypatch.setattr(program, "path", lambda: Path("/usr/lib/chromium/chromium"))
    monkeypatch.setattr(drawing, "why_not", lambda: "own user … namespaces: EPERM")
    monkeypatch.setattr(drawing, "draw", lambda *a, **k: pytest.fail("drawn all the same"))
    asked(exhibit, judge)
    working.turn()
    row = CourtRender.objects.get()
    assert (row.state, row.attempt) == ("queued", 0)
    assert "本院的绘制程序现在没有运行" in page_of(exhibit, judge)
    (said,) = checks.rendering_possible(None)
    assert said.id == "portal.W041" and "EPERM" in said.msg
    with pytest.raises(CommandError, match="EPERM"):
        call_command("run_renders", "--drain", skip_checks=True)


def test_a_machine_without_chromium_says_what_to_install(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PORTAL_CHROMIUM = "/nowhere/chromium"
    (said,) = checks.rendering_possible(None)
    assert said.id == "portal.I001" and said.hint is not None and "apt-get install" in said.hint and "chromium" in said.hint
    working.turn()
    assert not Renderer.objects.exists()
    with pytest.raises(CommandError, match="apt-get install"):
        call_command("run_renders", "--drain", skip_checks=True)
    settings.PORTAL_CHROMIUM = "off"
    assert checks.rendering_possible(None) == []


# ── the queue ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("TIMEOUT: wall clock", "时间上限"),
        ("RESOURCE_LIMIT: memory", "内存或大小上限"),
        ("CRASH: the page ended its process", "浏览器在这个网页上停下了"),
        ("LEFT: the page led away from itself", "转到别处"),
    ],
)
def test_a_page_that_stops_the_browser_is_parked_and_can_be_tried_again(
    exhibit: Exhibit, judge: User, renderer: Renderer, vault: Vault, monkeypatch: pytest.MonkeyPatch, fault: str, words: str
) -> None:
    press(exhibit, judge)
    monkeypatch.setattr(drawing, "draw", lambda *a, **k: fault)
    assert working.work_once(VERSION) and not working.work_once(VERSION)
    shown = page_of(exhibit, judge)
    assert words in shown and "再试一次" in shown and "说明不了证据的任何情况" in shown
    for n in range(2, queue.AGAIN_MAX + 3):
        press(exhibit, judge)
        working.work_once(VERSION)
        assert CourtRender.objects.count() == min(n, queue.AGAIN_MAX)
    assert "再试一次" not in page_of(exhibit, judge)


def test_our_own_fault_is_another_attempt_and_has_an_end(exhibit: Exhibit, judge: User, renderer: Renderer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PORTAL_ATTEMPTS_MAX = 2

    def refused(*_: Any, **__: Any) -> str:
        raise drawing.Refused("own namespaces: EPERM")

    monkeypatch.setattr(drawing, "draw", refused)
    asked(exhibit, judge)
    for _ in range(4):
        working.work_once(VERSION)
    queue.sweep()
    row = CourtRender.objects.get()
    assert (row.state, row.attempt) == ("parked", 2) and "EPERM" in row.fault
    assert str(section.OURS) in page_of(exhibit, judge)


def test_a_renderer_that_lost_its_lease_writes_nothing(exhibit: Exhibit, judge: User, renderer: Renderer) -> None:
    """Killed in the middle, or frozen: another takes the row, the late one finds it closed."""
    asked(exhibit, judge)
    late = queue.RENDERS.claim(Q(browser=VERSION))
    assert late is not None and queue.RENDERS.claim(Q(browser=VERSION)) is None
    CourtRender.objects.update(lease_until="2020-01-01T00:00Z")
    now = queue.RENDERS.claim(Q(browser=VERSION))
    assert now is not None and (now.pk, now.attempt) == (late.pk, 2)
    assert not queue.RENDERS.finish(late, picture_sha256="a" * 64) and not queue.RENDERS.give_back(late, fault="x") and not queue.RENDERS.park(late, fault="x")
    assert queue.RENDERS.finish(now, picture_sha256="b" * 64)


def test_another_version_neither_takes_nor_hides_a_render(exhibit: Exhibit, judge: User, renderer: Renderer, vault: Vault) -> None:
    asked(exhibit, judge)
    assert queue.RENDERS.claim(Q(browser="151.0.0.0")) is None
    made(vault)
    queue.announce("here", browser="151.0.0.0", fault="")
    shown = page_of(exhibit, judge)
    assert f"用 Chromium {VERSION} 绘制" in shown and "用 Chromium 151.0.0.0 重新绘制" in shown
    press(exhibit, judge)
    assert sorted(CourtRender.objects.values_list("browser", "state")) == [(VERSION, "done"), ("151.0.0.0", "queued")]
    queue.announce("here", browser="152.0.0.0", fault="")
    queue.sweep()
    assert CourtRender.objects.get(browser="151.0.0.0").fault.startswith("VERSION")
    assert f"用 Chromium {VERSION} 绘制" in page_of(exhibit, judge), "the one that was made is still shown"


def test_a_renderer_that_was_not_seen_lately_is_not_offered(renderer: Renderer) -> None:
    assert queue.live() == renderer
    with connection.cursor() as cursor:
        cursor.execute("UPDATE captures_renderer SET seen_at = clock_timestamp() - interval '1 hour'")
    assert queue.live() is None


def test_the_rows_stand(exhibit: Exhibit, judge: User, renderer: Renderer, vault: Vault) -> None:
    """The database itself refuses. To see it fail: drop a trigger of the migration."""
    from tests.evidence.test_rows_kept import refused

    asked(exhibit, judge)
    assert refused("UPDATE captures_courtrender SET source_sha256 = 'x'")
    assert refused("UPDATE captures_courtrender SET browser = 'x'")
    made(vault)
    assert refused("DELETE FROM captures_courtrender")
    for change in ("picture_sha256 = 'b'", "state = 'queued'", "height = 3", "fault = 'x'"):
        assert refused(f"UPDATE captures_courtrender SET {change}"), change


# ── what comes out of the cage is not believed ────────────────────────────────────────────────────────────────────────


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    page = tmp_path / "page"
    page.write_bytes(b"x")
    monkeypatch.setattr(program, "path", lambda: Path("/usr/lib/chromium/chromium"))
    monkeypatch.setattr(drawing, "own_sandbox", lambda: True)

    def answered(header: bytes, picture: bytes) -> drawing.Drawn | str:
        monkeypatch.setattr(drawing, "_caged", lambda *_: len(header).to_bytes(8, "big") + header + picture)
        return drawing.draw(page, form="HTML")

    return answered


def test_what_comes_out_of_the_cage_is_not_believed(answering: Any) -> None:
    """As a browser that was taken over would answer. To see it fail: keep the picture as it comes."""
    good = b'{"browser": "x", "full_width": 1, "full_height": 1, "refused": 0, "loaded": true}'
    huge = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(huge, "PNG")
    noted = io.BytesIO()
    from PIL.PngImagePlugin import PngInfo

    note = PngInfo()
    note.add_text("Comment", "<script>")
    Image.new("RGB", (9, 9), "red").save(noted, "PNG", pnginfo=note)
    drawn = answering(good, noted.getvalue() + b"<script>tail</script>")
    assert isinstance(drawn, drawing.Drawn) and b"script" not in drawn.png and hashlib.sha256(drawn.png).digest() != hashlib.sha256(noted.getvalue()).digest()
    for header, picture in (
        (good, b"no picture"),
        (good, b""),
        (good, huge.getvalue()),
        (good, b"GIF89a"),
        (b"{}", noted.getvalue()),
        (b"[1]", noted.getvalue()),
        (b"\xff", noted.getvalue()),
        (good.replace(b'"refused": 0', b'"refused": -1'), noted.getvalue()),
        (good.replace(b'"refused": 0', b'"refused": 1e9'), noted.getvalue()),
        (good.replace(b'"full_width": 1', b'"full_width": "x"'), noted.getvalue()),
    ):
        found = answering(header, picture)
        assert isinstance(found, str) and found.startswith(("CRASH", "RESOURCE_LIMIT")), (header, picture[:20], found)
