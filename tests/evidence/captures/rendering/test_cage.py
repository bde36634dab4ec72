"""A page in the cage reaches nobody, reads nothing of the machine and uses up no more than its share; elsewhere the same pages do."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from evidence.captures.rendering import cage, drawing, program
from tests.conftest import program as on_this_machine
from tests.evidence.captures.rendering import hostile

pytestmark = pytest.mark.needs("chromium")
HERE = Path(__file__).parent


def draw(tmp_path: Path, page: bytes | str, form: str = "HTML") -> drawing.Drawn | str:
    path = tmp_path / "page"
    path.write_bytes(page.encode() if isinstance(page, str) else page)
    return drawing.draw(path, form=form)


def drawn(tmp_path: Path, page: bytes | str, form: str = "HTML") -> tuple[drawing.Drawn, Image.Image]:
    found = draw(tmp_path, page, form)
    assert not isinstance(found, str), found
    return found, Image.open(io.BytesIO(found.png)).convert("RGB")


def black(picture: Image.Image) -> int:
    """Points that are darker than half: letters and frames."""
    return sum(picture.convert("L").histogram()[:128])


# ── nobody is reached ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_the_cage_the_page_leaks() -> None:
    """The control: the same page in the same browser, scripts on. If this fails, the next two tests prove nothing."""
    with hostile.counting() as (address, asked, connections), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=on_this_machine("chromium"), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_content(hostile.leaking(address).decode(), wait_until="commit")
        page.wait_for_timeout(4_000)
        browser.close()
    assert len(asked & hostile.KINDS.keys()) >= 20, sorted(hostile.KINDS.keys() - asked)
    assert len(connections) >= 20


def test_the_render_of_a_leaking_page_reaches_nobody(tmp_path: Path) -> None:
    with hostile.counting() as (address, asked, connections):
        found, picture = drawn(tmp_path, hostile.leaking(address))
    assert (connections, asked) == ([], set())
    assert found.refused >= 20 and black(picture) > 50


def test_the_cage_alone_reaches_nobody(tmp_path: Path) -> None:
    """A camera that refuses nothing, scripts on: the empty network holds by itself. To see it fail: leave `net` out of `cage._NEW`
    and the look at it out of `_leave` and `_no_network`."""
    page = tmp_path / "page"
    with hostile.counting() as (address, asked, connections):
        page.write_bytes(hostile.leaking(address).replace(hostile.KINDS["refresh"].format(a=address).encode(), b""))
        said = caged(HERE / "open_camera.py", page)
    assert said.startswith((b"RJ", b"RXLEFT")), said[:300]
    assert (connections, asked) == ([], set())


def caged(script: Path, page: Path, *before: str, **changed: object) -> bytes:
    """What the cage wrote, started by `script` with the words of `before` in front."""
    order = {"program": str(program.path()), "form": "HTML", "width": 800, "height_max": 2000, "seconds": 40, "memory_bytes": drawing.MEMORY, "sandbox": True}
    reading, writing = os.pipe()
    with page.open("rb") as given, open(reading, "rb") as answer:
        # The parent's pid is that of whoever starts Python: with words in front, of the last of them, which replaces itself.
        process = subprocess.Popen(
            [*before, sys.executable, "-I", "-B", str(script), str(cage.__file__).rsplit("/evidence/", 1)[0], str(os.getpid())]
            + [str(given.fileno()), str(writing), json.dumps(order | changed)],
            env={},
            pass_fds=[given.fileno(), writing],
            start_new_session=True,
        )
        os.close(writing)
        said = answer.read()
        process.wait()
    return said


def test_where_the_network_cannot_be_cut_off_nothing_is_rendered(tmp_path: Path) -> None:
    """On a machine that gives no user namespaces: refused with the kernel's reason, before the browser starts."""
    page = tmp_path / "page"
    page.write_bytes(b"<p>x")
    another_user = [on_this_machine("unshare"), "--user", "--map-user=1000", "--map-group=1000", "--keep-caps"]
    forbid = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\""
    said = caged(Path(str(cage.__file__)), page, *another_user, "/bin/sh", "-c", forbid, "sh")
    assert said.startswith(b"Eown user, mount, process and network namespaces: "), said[:300]


# ── nothing of the machine is shown ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["HTML", "MHTML"])
def test_files_of_the_machine_are_not_shown(tmp_path: Path, form: str) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (200, 200), "black").save(secret)
    secret.chmod(0o644)
    shown = f"""<!doctype html><body style="margin:0;background:white"><img src="file://{secret}" alt=""><img src="{secret}" alt="">
        <div style="background:url(file://{secret});width:200px;height:200px"></div>
        {''.join(f'<iframe style="border:0" src="file://{p}"></iframe>' for p in (secret, "/etc/passwd", "/proc/self/environ", "/proc/1/cmdline", "/", "/usr/lib/"))}
        {''.join(f'<object data="file://{p}"></object>' for p in (secret, "/etc/passwd", "/page.html"))}
        <embed src="file:///etc/passwd"><iframe style="border:0" src="view-source:file:///etc/passwd"></iframe>"""
    page = shown if form == "HTML" else mhtml(shown)
    _, picture = drawn(tmp_path, page, form)
    assert black(picture) == 0


def mhtml(page: str, *parts: str) -> str:
    head = 'From: <Saved by Blink>\r\nSnapshot-Content-Location: http://例.cn/\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; type="text/html"; boundary="b"\r\n\r\n'
    first = f"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Location: http://a.example/\r\n\r\n{page}\r\n"
    return head + first + "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"


def test_what_is_in_the_cage(tmp_path: Path) -> None:
    """Its root, seen through a directory listing by a camera that refuses nothing: no /etc but fonts, no /home, no /run, no /root."""
    script = tmp_path / "look.py"
    script.write_text(
        "import os, sys\nsys.path.insert(0, sys.argv[1])\nfrom evidence.captures.rendering import cage, camera\n"
        "def take(self, *a, **k):\n"
        "    found = {p: sorted(os.listdir(p)) for p in ('/', '/etc', '/dev', '/tmp', '/usr')}\n"
        "    found['pids'] = [p for p in os.listdir('/proc') if p.isdigit()]\n"
        "    found['environment'] = [open(f'/proc/{p}/environ').read() for p in found['pids'] if p != '1']\n"
        "    found['status'] = open('/proc/self/status').read()\n"
        "    for p in ('/x', '/usr/lib/x', '/etc/x'):\n"
        "        try: open(p, 'w'); found.setdefault('written', []).append(p)\n"
        "        except OSError: pass\n"
        "    return repr(found).encode()\n"
        "camera.Camera.take = take\ncage.main(*sys.argv[1:])\n"
    )
    page = tmp_path / "page"
    page.write_bytes(b"<p>x")
    said = caged(script, page)
    assert said.startswith(b"RJ"), said[:300]
    found = eval(said[2:])
    assert set(found["/"]) <= {"dev", "etc", "lib", "lib64", "page.html", "proc", "tmp", "usr", "opt"}
    assert set(found["/etc"]) <= {"fonts", "ld.so.cache"} and set(found["/usr"]) <= {"lib", "lib64", "local", "share"}
    assert "written" not in found and len(found["pids"]) < 5
    assert all("PORTAL" not in e and "PATH" not in e for e in found["environment"])
    assert "CapEff:\t0000000000000000" in found["status"] and "NoNewPrivs:\t1" in found["status"]


# ── no more than its share ────────────────────────────────────────────────────────────────────────────────────────────


def test_scripts_do_not_run(tmp_path: Path) -> None:
    page = "<body style='margin:0;background:white'><script>document.write('█'.repeat(99))</script><noscript><div style='background:black;width:99px;height:99px'></div></noscript><img src=x onerror=\"document.body.style.background='black'\"><iframe style='border:0' srcdoc='<script>document.write(\"█\")</script>'></iframe><script>for(;;);</script>"
    _, picture = drawn(tmp_path, page)
    assert black(picture) == 99 * 99, "what is for browsers without scripts, and nothing else"


def test_a_page_without_end_is_cut_and_its_height_said(tmp_path: Path) -> None:
    found, picture = drawn(tmp_path, "<body style='margin:0'><div style='height:100000px;width:3000px;background:linear-gradient(red,blue)'></div>")
    assert (found.full_height, found.full_width) == (100_000, 3_000)
    assert picture.size == (1_280, 16_000)


def test_a_page_that_wants_all_memory_is_stopped(tmp_path: Path) -> None:
    """A picture in itself again and again by SVG, and a table of millions of cells: whichever bound is met first, it is met."""
    started = time.monotonic()
    heavy = "<style>div{filter:blur(200px);width:16000px;height:16000px;will-change:transform;background:conic-gradient(red,blue)}</style>" + "<div>" * 400
    found = draw(tmp_path, heavy + "<table>" + "<tr>" + "<td>x" * 1_000_000)
    assert not isinstance(found, str) or found.startswith(("RESOURCE_LIMIT", "TIMEOUT", "CRASH"))
    assert time.monotonic() - started < drawing.SECONDS + 30


@pytest.mark.parametrize("target", ["about:blank", "chrome://crash", "chrome://kill", "data:text/html,<p>other", "javascript:alert(1)", "https://other.example/", "file:///etc/passwd"])
def test_a_page_that_leads_away_is_shown_as_it_is_or_not_at_all(tmp_path: Path, target: str) -> None:
    found = draw(tmp_path, f"<!doctype html><meta http-equiv=refresh content='0;url={target}'><body style='margin:0;background:white'><div style='background:black;width:99px;height:99px'></div>")
    if isinstance(found, str):
        assert found.startswith("LEFT: ")
    else:
        assert black(Image.open(io.BytesIO(found.png))) == 99 * 99


def test_frames_and_dialogs_end(tmp_path: Path) -> None:
    """Nobody is there to answer a dialog; a way of printing would wait for ever."""
    nested = "<iframe srcdoc='x'></iframe>" * 100 + "<body onload=print() onbeforeunload='return 1'><dialog open>d</dialog><a autofocus href=x download>x</a>"
    drawn(tmp_path, nested)


def test_a_message_in_a_message(tmp_path: Path) -> None:
    """Chromium 150 ends the process of such a page; what matters is that it is said, and that the next page is drawn."""
    inner = mhtml("<p>inner").replace("--b", "--c").replace('"b"', '"c"')
    part = "Content-Type: multipart/related; boundary=c\r\nContent-ID: <in>\r\n\r\n" + inner
    found = draw(tmp_path, mhtml("<iframe src='cid:in'></iframe><p>outer", part), "MHTML")
    assert not isinstance(found, str) or found == "CRASH: the page ended its process"
    drawn(tmp_path, mhtml("<p>next"), "MHTML")


def test_a_storm_of_processes_is_bounded(tmp_path: Path) -> None:
    """As if the browser had been taken over: the limit on processes, in a namespace of its own, and the end with process 1."""
    script = tmp_path / "storm.py"
    script.write_text(
        "import os, sys, time\nsys.path.insert(0, sys.argv[1])\nfrom evidence.captures.rendering import cage, camera\n"
        "def take(self, *a, **k):\n"
        "    cage._bound(cage.Order('', 'HTML', 1, 1, 40, 1 << 30, False))\n"
        "    made = 0\n"
        "    try:\n"
        "        while made < 5000:\n"
        "            if os.fork() == 0:\n"
        "                time.sleep(60); os._exit(0)\n"
        "            made += 1\n"
        "    except OSError: pass\n"
        "    return str(made).encode()\n"
        "camera.Camera.take = take\ncage.main(*sys.argv[1:])\n"
    )
    page = tmp_path / "page"
    page.write_bytes(b"<p>x")
    said = caged(script, page)
    assert said.startswith(b"RJ") and int(said[2:]) < cage.PROCESSES
    assert not outlived(), "processes outlived the cage"


def left_over() -> list[str]:
    time.sleep(0.5)
    ps = subprocess.run(["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in ps.splitlines() if "/tmp/profile" in line and "remote-debugging-pipe" in line]


def outlived() -> list[str]:
    """Browsers that are there and stay: one of another test, which runs beside this one, is gone after some seconds."""
    seen, deadline = left_over(), time.monotonic() + 30
    while seen and time.monotonic() < deadline:
        seen = [line for line in left_over() if line in seen]
    return seen


def test_the_cage_ends_with_its_worker(tmp_path: Path) -> None:
    """kill -9 of the worker in the middle of a render leaves no browser behind."""
    page = tmp_path / "page"
    page.write_bytes(b"<p>x")
    code = (
        "import os, sys\nos.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\nimport django; django.setup()\n"
        "from pathlib import Path\nfrom evidence.captures.rendering import camera, drawing\n"
        "drawing.own_sandbox = lambda: True\nprint('on', flush=True)\nwhile True: drawing.draw(Path(sys.argv[1]), form='HTML')\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", code, str(page)], stdout=subprocess.PIPE, cwd=HERE.parents[3])
    assert worker.stdout is not None and worker.stdout.readline() == b"on\n"
    deadline = time.monotonic() + 20
    while not left_over() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert time.monotonic() < deadline, "no browser was seen at all"
    worker.kill()
    worker.wait()
    time.sleep(1)
    assert outlived() == []


def test_no_more_than_a_megabyte_of_words_comes_out(tmp_path: Path) -> None:
    """What the cage writes is bounded, whatever writes it. To see it fail: take the bound out of `_collect`."""
    script = tmp_path / "flood.py"
    script.write_text("import os, sys\nos.write(int(sys.argv[4]), b'RJ')\nwhile True: os.write(int(sys.argv[4]), b'x' * 65536)\n")
    page = tmp_path / "page"
    page.write_bytes(b"x")
    order = cage.Order(str(program.path()), "HTML", 1, 1, 30, 1 << 30, False)
    plain = cage.__file__
    cage.__file__ = str(script)
    try:
        assert drawing._caged(order, page) == "RESOURCE_LIMIT: size of the picture"
    finally:
        cage.__file__ = plain
