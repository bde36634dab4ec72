"""The renderer: conforming output, nothing loaded from anywhere, the same bytes each time, and bounds that hold."""

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import page
import pikepdf
import pypdfium2
import pytest

from evidence.reports import pdf_finish, rendering

from .conftest import FONTS, ISSUED, SEALABLE

Render = Callable[..., bytes]


def faults(pdf: bytes) -> list[str]:
    """Rules broken, without the validator's one false alarm: it takes a carriage return at a stream's end for a line end."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        alarms = sum(isinstance(o, pikepdf.Stream) and o.read_raw_bytes().endswith(b"\r") for o in opened.objects)
    found = [f"{p} {f.rule_id}" for p in ("3a", "ua1") for f in page.validate_pdf_bytes(pdf, profile=p).failures]
    false = [f for f in found if "STREAM-LENGTH-001" in f]
    return [f for f in found if f not in false] if alarms and len(false) <= 2 * alarms else found


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(p.get_textpage().get_text_bounded() for p in document)


# ── what comes out ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_small_document_conforms(render: Render) -> None:
    assert faults(render('= 标题 *✓*\n正文 #text(lang: "en")[text]\n- 一\n- 二\n#table(columns: 2, table.header([项], [值]), [a], [b])')) == []


def test_the_validator_can_say_no(render: Render) -> None:
    """Another name for the standard: the gate must notice, or it guards nothing."""
    with pikepdf.open(io.BytesIO(render("正文"))) as pdf:
        pdf.Root.Metadata.write(pdf.Root.Metadata.read_bytes().replace(b"pdfuaid:part", b"pdfuaid:other"))
        out = io.BytesIO()
        pdf.save(out)
    assert faults(out.getvalue())


def test_english_is_declared(render: Render) -> None:
    """PDF/UA-1 7.2."""
    with pikepdf.open(io.BytesIO(render('中文 #text(lang: "en", region: none)[English words]'))) as pdf:
        assert str(pdf.Root.Lang).startswith("zh")
        # Of the words themselves, in the content of the page (ISO 32000-1, 14.9.2.3).
        assert re.findall(rb"/Span\s*<<[^>]*/Lang\s*\(en\)", pdf.pages[0].Contents.read_bytes())


def test_signature_fields_are_tagged_forms(unsigned: bytes) -> None:
    with pikepdf.open(io.BytesIO(unsigned)) as pdf:
        fields = {str(f.T): f for f in pdf.Root.AcroForm.Fields}
        assert set(fields) == {"CourtSeal", "Clerk", "Judge", *(f"DocTS{n}" for n in range(1, 11))}
        for name, field in fields.items():
            assert field.FT == "/Sig" and field.Subtype == "/Widget" and str(field.TU) == pdf_finish.FIELD_NAMES[name]
            assert not {"/A", "/Contents", "/Border"} & set(field.keys())
            left, bottom, right, top = (float(v) for v in field.Rect)
            assert [float(v) for v in field.AP.N.BBox] == pytest.approx([0, 0, right - left, top - bottom], abs=0.002)
        forms = [e for e in pdf_finish._elements(pdf.Root.StructTreeRoot) if e.S == "/Form"]
        assert all(f.K.Type == "/OBJR" for f in forms) and {f.K.Obj.objgen for f in forms} == {f.objgen for f in fields.values()}
        left, bottom, right, top = (float(v) for v in fields["CourtSeal"].Rect)
        assert (right - left, top - bottom) == pytest.approx((27 / 25.4 * 72, 27 / 25.4 * 72), abs=0.01)


@pytest.mark.parametrize("body", ['#field("Nobody", 9mm, 9mm)', '#field("Clerk", 9mm, 9mm) #field("Clerk", 9mm, 9mm)'])
def test_a_field_without_a_meaning_or_twice_is_no_document(render: Render, body: str) -> None:
    with pytest.raises(rendering.RenderError, match="no signature field can be called"):
        render(body)


def test_attachments_are_declared_in_order_with_fixed_dates(render: Render) -> None:
    given = [
        rendering.Attached("result.json", '{"名":1}'.encode(), "结论", "data"),
        rendering.Attached("a.xml", b"<a/>", "报告", "supplement", "application/xml"),
    ]
    with pikepdf.open(io.BytesIO(render("正文", attachments=given))) as pdf:
        assert [(str(f.UF), str(f.Desc), str(f.AFRelationship), str(f.EF.F.Subtype), f.EF.F.read_bytes()) for f in pdf.Root.AF] == [
            ("a.xml", "报告", "/Supplement", "/application/xml", b"<a/>"),
            ("result.json", "结论", "/Data", "/application/json", '{"名":1}'.encode()),
        ]
        assert {str(f.EF.F.Params.ModDate) for f in pdf.Root.AF} == {f"D:{ISSUED:%Y%m%d%H%M%S}Z"} == {str(pdf.docinfo["/CreationDate"])}


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="UTC"):
        rendering.render("receipt.typ", {}, fonts=FONTS, dated=datetime(2026, 11, 22))


def test_a_warning_is_an_error_that_says_where(render: Render) -> None:
    with pytest.raises(rendering.RenderError, match=r"unknown font family: nowhere(.|\n)*test\.typ:3"):
        render('#text(font: "Nowhere", fallback: false)[正文]')


# ── nothing is loaded ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A server that counts who comes."""
    came: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                came.append(connection.recv(100).decode("latin-1"))
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], came
        done.set()
        thread.join()


LOADS = {
    "package": '#import "@preview/cetz:0.3.4"',
    "local package": '#import "@local/cetz:0.3.4"',
    "absolute path": '#read("{secret}")',
    "upwards": '#read("../../../../../../../../..{secret}")',
    "through a link": '#read("link.txt")',
    "include": '#include "{secret}"',
    "data": '#json("link.txt")',
    "table of values": '#csv("link.txt")',
    "picture": '#image("link.txt", alt: "x")',
    "address": '#image("http://127.0.0.1:{port}/x.png", alt: "x")',
    "plugin": '#plugin("link.txt")',
    "bibliography": '#bibliography("link.txt")',
    "syntax": '#set raw(syntaxes: "link.txt")\n```x y```',
    "theme": '#set raw(theme: "link.txt")\n```x y```',
}


@pytest.mark.parametrize("kind", LOADS)
def test_what_a_document_may_not_reach_ends_it(trial: "Trial", listener: tuple[int, list[str]], kind: str, tmp_path: Path) -> None:
    """Even of a template that would want it: RenderError, no connection, no byte of the file."""
    port, came = listener
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET CONTENT")
    (trial.root / "link.txt").unlink(missing_ok=True)
    (trial.root / "link.txt").symlink_to(secret)
    with pytest.raises(rendering.RenderError) as refused:
        trial(LOADS[kind].format(secret=secret, port=port))
    assert "SECRET" not in str(refused.value)
    time.sleep(0.05)
    assert came == []


@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/x.png", "{secret}", "link.txt", "file://{secret}"])
def test_a_drawing_loads_nothing(trial: "Trial", listener: tuple[int, list[str]], target: str, tmp_path: Path) -> None:
    """A reference inside a drawing ends the document."""
    port, came = listener
    secret = tmp_path / "secret.svg"
    secret.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text x="1" y="8">SECRET</text></svg>')
    (trial.root / "link.txt").unlink(missing_ok=True)
    (trial.root / "link.txt").symlink_to(secret)
    link = target.format(port=port, secret=secret)
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="{link}" width="9" height="9"/></svg>'
    with pytest.raises(rendering.RenderError) as refused:
        trial('#image(bytes(data.svg), format: "svg", alt: "x")', {"svg": drawing})
    assert "SECRET" not in str(refused.value)
    time.sleep(0.05)
    assert came == []


def test_the_listener_would_have_heard(listener: tuple[int, list[str]]) -> None:
    port, came = listener
    with socket.create_connection(("127.0.0.1", port)) as c:
        c.sendall(b"hello")
        c.recv(1)
    assert came == ["hello"]


def test_the_renderer_has_no_network_no_rights_and_cannot_write(render: Render) -> None:
    """The layers under the compiler's own: what the process gave up, as the kernel tells it."""
    render("x")
    for renderer in [r for press in presses() for r in press.renderers if r._process]:
        status = Path(f"/proc/{renderer._process.pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert "CapEff:\t0000000000000000" in status
        assert "Threads:\t1\n" in status  # the compiler's own would not survive the fork
        if os.geteuid() == 0:
            assert os.readlink(f"/proc/{renderer._process.pid}/ns/net") != os.readlink("/proc/self/ns/net")


@pytest.mark.needs("strace")
def test_no_document_makes_a_socket(trial: "Trial", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All system calls of the network, of the warm process and its children; the trace hears a child end."""
    trace = tmp_path / "trace"
    plain = subprocess.Popen
    filters = ["strace", "-f", "-o", str(trace), "-e", "trace=%network,exit_group"]
    monkeypatch.setattr(rendering.subprocess, "Popen", lambda a, **k: plain([*filters, *a], **k))
    rendering._renderer.cache_clear()
    try:
        trial("正文 䶮")
        with pytest.raises(rendering.RenderError, match="failed to download package"):
            trial('#import "@preview/cetz:0.3.4"')
    finally:
        for press in presses():
            press.close()
        rendering._renderer.cache_clear()
    calls = [line.split(maxsplit=1) for line in trace.read_text().splitlines()]
    warm = calls[0][0]
    children = {process for process, call in calls if call.startswith("exit_group(0)")} - {warm}
    assert len(children) >= 1
    sockets = [(process, call) for process, call in calls if call.startswith("socket(")]
    assert all("EPERM" in call for process, call in sockets if process != warm), sockets
    assert all("AF_UNIX" in call for process, call in sockets if process == warm), sockets  # the interpreter asks for user names


# ── the same bytes ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_bytes_from_any_process_with_any_hash_seed(trial: "Trial", monkeypatch: pytest.MonkeyPatch) -> None:
    attached = [rendering.Attached(name, name.encode(), name, "data") for name in ("b.json", "a.json", "c.json")]
    plain = subprocess.Popen
    made = set()
    for seed, threads in (("0", "1"), ("1", "2"), ("2", "4")):
        changed = {"PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": threads, "TZ": "Asia/Shanghai", "HOME": "/root"}
        monkeypatch.setattr(
            rendering.subprocess, "Popen", lambda *a, changed=changed, **k: plain(*a, **{**k, "env": {**k["env"], **changed}})
        )
        rendering._renderer.cache_clear()
        for order in (attached, attached[::-1]):
            body = SEALABLE + "\n= 标题 ✓ abc\n" + "#pagebreak()\n甲乙 #mono(data.digest) 䶮𪚥\n" * 9
            made.add(trial(body, {"digest": "ab" * 32}, attachments=order))
        for press in presses():
            press.close()
    rendering._renderer.cache_clear()
    assert len(made) == 1


# ── hostile and huge ──────────────────────────────────────────────────────────────────────────────────────────────────


def bounded(run: Callable[[], Any], *, seconds: float = 30) -> Any:
    start = time.monotonic()
    found = run()
    assert time.monotonic() - start < seconds
    return found


MARKUP = """#panic("x") #read("/etc/passwd") *b* _i_ `r` $x$ @a <a> = t
- l \\ https://sig.invalid/CourtSeal [c] // n /* m */ ~ -- ... "q" #import "@preview/a:0.1.0" <script>&amp;"""


def test_what_parties_wrote_is_never_markup(render: Render) -> None:
    made = render("#given(data.x) #mono(data.x) #both(say(data.x, data.x)) #table(columns: 1, data.x)", data={"x": MARKUP})
    assert faults(made) == []
    shown, wanted = re.sub(r"\s", "", text_of(made)), re.sub(r"\s", "", MARKUP)
    assert shown.count(wanted) == 5
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert "/AcroForm" not in pdf.Root and not any("/Annots" in p for p in pdf.pages)


def test_a_word_of_five_thousand_characters_is_laid_out(render: Render) -> None:
    made = bounded(lambda: render("#block(width: 30mm, given(data.x))", data={"x": "x" * 5_000}))
    assert text_of(made).count("x") == 5_000


def test_nested_functions_end_in_an_error_not_in_a_hang(render: Render) -> None:
    with pytest.raises(rendering.RenderError, match="depth"):
        bounded(lambda: render("#let f(x) = block(f(x))\n#f(1)"))


class Trial:
    """Prints a body from a directory of its own, by whatever renderers `rendering` has now."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(rendering.TEMPLATES, root, dirs_exist_ok=True)

    def __call__(self, body: str, data: dict[str, Any] | None = None, **options: Any) -> bytes:
        head = '#import "/house.typ": *\n#show: house.with(title: "试验", author: "试验", description: "试验")\n'
        (self.root / "trial.typ").write_text(head + body, encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rendering, "TEMPLATES", self.root)
            PRESSES.append(rendering._renderer(FONTS, self.root))
            return rendering.render("trial.typ", {"language": "zh-en", **(data or {})}, fonts=FONTS, dated=ISSUED, **options)


PRESSES: list[rendering._Press] = []


def presses() -> list[rendering._Press]:
    return list(dict.fromkeys([*PRESSES, rendering._renderer(FONTS, rendering.TEMPLATES)]))


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    yield Trial(tmp_path_factory.mktemp("trial"))
    for press in presses():
        press.close()


@pytest.fixture
def limited(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., bytes]]:
    """Renderers whose children have smaller limits than the product's."""
    plain = subprocess.Popen

    def made(body: str, **limits: int) -> bytes:
        said = "; ".join(f"renderer.{name} = {value}" for name, value in limits.items())
        code = f"import sys; from pathlib import Path; from evidence.reports import renderer; {said}; renderer.serve(sys.stdin.buffer, sys.stdout.buffer, templates=Path(sys.argv[1]), fonts=[Path(a) for a in sys.argv[2:]])"
        with monkeypatch.context() as patch:
            patch.setattr(rendering.subprocess, "Popen", lambda a, **k: plain([sys.executable, "-c", code, *a[3:]], **k))
            return trial(body)

    rendering._renderer.cache_clear()
    yield made
    for press in presses():
        press.close()
    rendering._renderer.cache_clear()


def test_a_document_that_wants_too_much_memory_ends_alone(limited: Callable[..., bytes]) -> None:
    limits = {"MEMORY_MAX": 500 << 20}
    with pytest.raises(rendering.RenderError, match="without a document|MemoryError"):
        limited("#let a = range(200000000)\nx", **limits)
    assert limited("x", **limits).startswith(b"%PDF")


def test_a_document_that_takes_too_long_ends_alone(limited: Callable[..., bytes]) -> None:
    with pytest.raises(rendering.RenderError, match="without a document"):
        bounded(lambda: limited("#for i in range(9000) { for j in range(9000) { let x = calc.pow(1.1, 3) } }", SECONDS_MAX=1), seconds=10)


def test_a_renderer_that_was_killed_is_started_again(trial: Trial) -> None:
    trial("x")
    process = rendering._renderer(FONTS, trial.root).renderers[0]._process
    assert process is not None
    process.kill()
    process.wait()
    assert trial("x").startswith(b"%PDF")


def test_a_forked_process_does_not_share_the_renderer(trial: Trial) -> None:
    """Two processes on one pipe would get each other's documents."""
    trial("x")
    first = rendering._renderer(FONTS, trial.root).renderers[0]
    mine = first._process
    assert mine is not None
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            pdf = trial("child")
            theirs = first._process
            os.write(writing, f"{pdf[:4]!r} {theirs is not None and theirs.pid != mine.pid}".encode())
            first.close()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        assert stream.read() == "b'%PDF' True"
    os.waitpid(child, 0)
    assert mine.poll() is None and trial("x").startswith(b"%PDF")


def test_documents_at_the_same_time_are_each_their_own(trial: Trial) -> None:
    """More askers than renderers: nobody gets another's document, nobody is turned away."""
    trial("#data.n", {"n": ""})
    found: dict[int, str] = {}

    def ask(n: int) -> None:
        data = {"language": "zh-en", "n": f"number {n} of many"}
        found[n] = text_of(rendering._renderer(FONTS, trial.root) and rendered(trial.root, data))

    def rendered(root: Path, data: dict[str, Any]) -> bytes:
        kind, made = rendering._renderer(FONTS, root).ask(rendering._request("trial.typ", data, FONTS, ISSUED, ()))
        assert kind == b"P"
        return made

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"number {n} of many" in found[n] for n in range(8))


def test_an_interrupted_question_leaves_no_answer_for_the_next(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks after somebody was stopped between question and answer must get a document of their own, or none."""

    class Stopped(BaseException):
        pass

    trial("#data.n", {"n": ""})
    question = lambda n: rendering._request("trial.typ", {"language": "zh-en", "n": n}, FONTS, ISSUED, ())  # noqa: E731
    renderer = rendering._Renderer(FONTS, trial.root)
    try:
        real = renderer._exchange

        def stopped(process: object, request: bytes) -> tuple[bytes, bytes]:
            process.stdin.write(b"\0" * rendering.MARK_BYTES + len(request).to_bytes(8) + request)  # type: ignore[attr-defined]
            process.stdin.flush()  # type: ignore[attr-defined]
            raise Stopped

        monkeypatch.setattr(renderer, "_exchange", stopped)
        with pytest.raises(Stopped):
            renderer.ask(question("first"))
        monkeypatch.setattr(renderer, "_exchange", real)
        answer = renderer.ask(question("second"))
        assert answer is not None and answer[0] == b"P"
        assert "second" in text_of(answer[1])
    finally:
        renderer.close()
