"""The renderer: conforming output, nothing loaded from anywhere, the same bytes each time, and bounds that hold."""

import io
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import page
import pikepdf
import pypdfium2
import pytest

from evidence.reports import rendering
from evidence.reports.printable import clean

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
    assert faults(render("<h1>标题 <b>✓</b></h1><p>正文 <a lang='en'>text</a></p><ul><li>一<li>二</ul>")) == []


def test_the_validator_can_say_no(render: Render) -> None:
    """Metadata compressed again, as the engine leaves it: the gate must notice, or it guards nothing."""
    with pikepdf.open(io.BytesIO(render("<p>正文</p>"))) as pdf:
        xmp = pdf.Root.Metadata.read_bytes()
        pdf.Root.Metadata.write(xmp.replace(b"pdfuaid:part", b"pdfuaid:other"))
        out = io.BytesIO()
        pdf.save(out)
    assert faults(out.getvalue())


def test_english_is_declared_and_lines_are_no_elements(render: Render) -> None:
    """PDF/UA-1 7.2. A line of text is content of its paragraph, not an element of its own."""
    with pikepdf.open(io.BytesIO(render("<p>中文<a lang='en'>English words</a></p>"))) as pdf:
        elements = [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/StructElem" and "/S" in o]
        spans = [e for e in elements if e.S == "/Span"]
        assert [str(s.Lang) for s in spans] == ["en"]
        paragraph = next(e for e in elements if e.S == "/P")
        assert [type(k) for k in paragraph.K][0] is int


def test_every_marked_piece_of_content_has_its_element(render: Render) -> None:
    """After flattening, the parent tree names for each MCID exactly the element that lists it."""
    with pikepdf.open(io.BytesIO(render(SEALABLE + "<table><tr><th>a<td>b<a lang=en>c</a></table><ul><li>d</ul>"))) as pdf:
        numbers = list(pdf.Root.StructTreeRoot.ParentTree.Nums)
        pages = {p.obj.objgen: n for n, p in enumerate(pdf.pages)}
        for n, owners in zip(numbers[::2], numbers[1::2], strict=True):
            if isinstance(owners, pikepdf.Array):
                for mcid, owner in enumerate(owners):
                    kids = owner.K if isinstance(owner.K, pikepdf.Array) else [owner.K]
                    # Margin boxes are artifacts: mapped, but outside the tree. A form holds its object reference alone.
                    assert mcid in list(kids) or owner.S == "/Form", (mcid, owner.S)
                    assert pages[owner.Pg.objgen] == int(n)


def test_signature_fields_are_tagged_forms(unsigned: bytes) -> None:
    with pikepdf.open(io.BytesIO(unsigned)) as pdf:
        fields = {str(f.T): f for f in pdf.Root.AcroForm.Fields}
        assert set(fields) == {"CourtSeal", "Clerk", "Judge", *(f"DocTS{n}" for n in range(1, 11))}
        for field in fields.values():
            assert field.FT == "/Sig" and field.Subtype == "/Widget" and "/A" not in field and str(field.TU)
        forms = [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and o.get("/S") == "/Form" and "/K" in o]
        assert all(f.K.Type == "/OBJR" for f in forms) and len(forms) == len(fields)


def test_attachment_is_declared_once_with_fixed_dates(unsigned: bytes) -> None:
    with pikepdf.open(io.BytesIO(unsigned)) as pdf:
        assert len(pdf.Root.AF) == 1
        file = pdf.Root.AF[0]
        assert file.AFRelationship == "/Data"
        assert str(file.EF.F.Params.ModDate).startswith(f"D:{ISSUED:%Y%m%d%H%M%S}")


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
    "img": '<img alt="x" src="{u}">',
    "stylesheet": '<link rel="stylesheet" href="{u}">',
    "import": '<style>@import "{u}";</style>',
    "background": '<p style="background:url({u})">x</p>',
    "page background": "<style>@page {{ background: url({u}) }}</style>",
    "list style": '<ul style="list-style:url({u})"><li>x</ul>',
    "font face": '<style>@font-face {{ font-family:x; src:url({u}) }} p {{ font-family:x }}</style><p>x</p>',
    "content": '<style>p::before {{ content: url({u}) }}</style><p>x</p>',
    "object": '<object data="{u}">x</object>',
    "embed": '<embed src="{u}">',
    "svg image": '<svg width="9" height="9"><title>x</title><image href="{u}" width="9" height="9"/></svg>',
    "svg in data": '<img alt="x" src="data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 width=%229%22 height=%229%22%3E%3Cimage href=%22{u}%22 width=%229%22 height=%229%22/%3E%3C/svg%3E">',
    "link attachment": '<link rel="attachment" href="{u}">',
    "a attachment": '<a rel="attachment" href="{u}">x</a>',
}


@pytest.mark.parametrize("kind", LOADS)
@pytest.mark.parametrize("target", ["http", "file"])
def test_a_load_is_refused_and_ends_the_document(
    render: Render, listener: tuple[int, list[str]], kind: str, target: str, tmp_path: Path
) -> None:
    """RenderError, no connection, nothing embedded: an ordinary exception would only be logged and leave a gap.

    For a font face the engine first wants a directory to copy it to, which the renderer may not make.
    """
    port, came = listener
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET CONTENT")
    url = f"http://127.0.0.1:{port}/x" if target == "http" else secret.as_uri()
    with pytest.raises(rendering.RenderError, match="a report loads nothing|Permission denied: .*weasyprint-"):
        render(LOADS[kind].format(u=url))
    time.sleep(0.05)
    assert came == []


def test_a_drawing_does_not_even_ask_for_another_drawing(render: Render, listener: tuple[int, list[str]]) -> None:
    port, came = listener
    drawn = render(f'<svg width="9" height="9"><title>x</title><use href="http://127.0.0.1:{port}/x.svg#a"/></svg>')
    time.sleep(0.05)
    assert came == [] and drawn.startswith(b"%PDF")


def test_the_listener_would_have_heard(listener: tuple[int, list[str]]) -> None:
    port, came = listener
    with socket.create_connection(("127.0.0.1", port)) as c:
        c.sendall(b"hello")
        c.recv(1)
    assert came == ["hello"]


def test_the_renderer_has_no_network_no_rights_and_cannot_write(render: Render, font_cache: Path) -> None:
    """The layer under the fetcher: what the process gave up, as the kernel tells it."""
    render("<p>x</p>")
    process = rendering._renderer(FONTS, font_cache)._process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    if os.geteuid() == 0:
        assert os.readlink(f"/proc/{process.pid}/ns/net") != os.readlink("/proc/self/ns/net")


def test_nothing_is_left_in_the_temporary_directory(render: Render, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The engine copies each font face into a directory of its own if it is given one by style sheet."""
    import tempfile

    before = set(Path(tempfile.gettempdir()).glob("weasyprint-*"))
    render("<p>x <b>y</b></p>")
    assert set(Path(tempfile.gettempdir()).glob("weasyprint-*")) <= before


# ── the same bytes ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_bytes_from_any_process_with_any_hash_seed(monkeypatch: pytest.MonkeyPatch, font_cache: Path) -> None:
    attached = [
        rendering.Attached(name, name.encode(), name, "Data", ISSUED) for name in ("b.json", "a.json", "c.json")
    ]
    plain = subprocess.Popen
    made = set()
    for seed in ("0", "1", "2"):
        monkeypatch.setattr(
            rendering.subprocess,
            "Popen",
            lambda *a, seed=seed, **k: plain(*a, **{**k, "env": {**k["env"], "PYTHONHASHSEED": seed}}),
        )
        own = rendering._Renderer(FONTS, font_cache)
        monkeypatch.setattr(rendering, "_renderer", lambda fonts, cache, own=own: own)
        for order in (attached, attached[::-1]):
            html = f'<html lang="zh-Hans"><title>t</title>{SEALABLE}<p style="font:bold 9pt var(--title)">标题 ✓ abc</p>'
            made.add(rendering.render(html, fonts=FONTS, cache=font_cache, identifier=b"x", attachments=order))
        own.close()
    assert len(made) == 1


# ── hostile and huge ──────────────────────────────────────────────────────────────────────────────────────────────────


def bounded(run: Callable[[], Any], *, seconds: float = 30) -> Any:
    start = time.monotonic()
    found = run()
    assert time.monotonic() - start < seconds
    return found


def test_a_word_of_five_thousand_characters_is_laid_out(render: Render) -> None:
    word = "x" * 5_000
    cell = f'<table style="table-layout:fixed;width:100%"><tr><td style="overflow-wrap:anywhere">{word}</td><td>y</td></tr></table>'
    assert text_of(bounded(lambda: render(cell))).replace("\n", "").replace("\r", "").count("x") == 5_000


def test_three_thousand_nested_tags_as_text_are_text(render: Render) -> None:
    from django.utils.html import escape

    shown = text_of(bounded(lambda: render(f"<p style='overflow-wrap:anywhere'>{escape('<div>' * 3_000)}</p>")))
    assert re.sub(r"\s", "", shown).count("<div>") == 3_000


def test_nested_elements_end_in_an_error_not_in_a_hang(render: Render) -> None:
    with pytest.raises(rendering.RenderError):
        bounded(lambda: render("<div>" * 3_000))


@pytest.fixture
def limited(font_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., bytes]]:
    """A renderer whose children have smaller limits than the product's."""
    started: list[rendering._Renderer] = []

    def made(html: str, **limits: int) -> bytes:
        said = "; ".join(f"renderer.{name} = {value}" for name, value in limits.items())
        code = f"import sys; from evidence.reports import renderer; {said}; renderer.serve(sys.stdin.buffer, sys.stdout.buffer, readable=[])"
        plain = subprocess.Popen
        with monkeypatch.context() as patch:
            patch.setattr(rendering.subprocess, "Popen", lambda a, **k: plain([sys.executable, "-c", code], **k))
            if not started:
                started.append(rendering._Renderer(FONTS, font_cache))
            patch.setattr(rendering, "_renderer", lambda fonts, cache: started[0])
            return rendering.render(html, fonts=FONTS, cache=font_cache, identifier=b"x")

    yield made
    for renderer in started:
        renderer.close()


SMALL = "<html lang=zh><title>t</title><p>x</p>"


def test_a_document_that_wants_too_much_memory_ends_alone(limited: Callable[..., bytes]) -> None:
    limits = {"MEMORY_MAX": 700 << 20}
    with pytest.raises(rendering.RenderError):
        limited(SMALL + "<table><tr><td>x</table>" * 15_000, **limits)
    assert limited(SMALL, **limits).startswith(b"%PDF")


def test_a_document_that_takes_too_long_ends_alone(limited: Callable[..., bytes]) -> None:
    with pytest.raises(rendering.RenderError, match="without a document"):
        limited(SMALL + "<p>x y z</p>" * 30_000, SECONDS_MAX=1)


def test_a_renderer_that_was_killed_is_started_again(render: Render, font_cache: Path) -> None:
    render("<p>x</p>")
    process = rendering._renderer(FONTS, font_cache)._process
    assert process is not None
    process.kill()
    process.wait()
    assert render("<p>x</p>").startswith(b"%PDF")


def test_a_forked_process_does_not_share_the_renderer(render: Render, font_cache: Path) -> None:
    """Two processes on one pipe would get each other's documents."""
    render("<p>x</p>")
    mine = rendering._renderer(FONTS, font_cache)._process
    assert mine is not None
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            pdf = render("<p>child</p>")
            theirs = rendering._renderer(FONTS, font_cache)._process
            os.write(writing, f"{pdf[:4]!r} {theirs is not None and theirs.pid != mine.pid}".encode())
            rendering._renderer(FONTS, font_cache).close()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        assert stream.read() == "b'%PDF' True"
    os.waitpid(child, 0)
    assert mine.poll() is None and render("<p>x</p>").startswith(b"%PDF")


# ── characters ────────────────────────────────────────────────────────────────────────────────────────────────────────

RARE = "䶮㛃𬱖𠮷𪚥𬀩𰻞"
"""In names of real people, and in no font of the product."""
NOBODY = "\U00012000"
"""CUNEIFORM SIGN A: assigned, and in no font that a court installs."""


def rare_fonts() -> bool:
    return len(rendering._rare_fonts(FONTS)) == len(rendering.RARE)


@pytest.mark.skipif(not rare_fonts(), reason="fonts-noto-cjk and fonts-hanazono are missing (apt-get install them)")
def test_rare_name_characters_are_drawn(render: Render) -> None:
    assert rendering.missing_glyphs(RARE, fonts=FONTS) == ""
    pdf = render(f"<p>{RARE}</p>")
    assert faults(pdf) == []  # an empty box (.notdef) would be one
    assert RARE in text_of(pdf)


def test_a_character_that_nobody_has_is_named(render: Render) -> None:
    assert rendering.missing_glyphs(f"甲{NOBODY}乙", fonts=FONTS) == NOBODY
    assert any("NOTDEF" in f for f in faults(render(f"<p>{NOBODY}</p>")))


def test_a_host_font_cannot_take_the_place_of_ours(render: Render) -> None:
    """Only the product's own faces for ordinary text, whatever fonts the machine has."""
    with pikepdf.open(io.BytesIO(render("<p>中文 abc ✓ <b>粗</b></p>"))) as pdf:
        names = {str(o.BaseFont).partition("+")[2] for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and "/BaseFont" in o}
    assert names == {"EvBody", "EvBody-Bold", "EvSym"}


# ── evidence text ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("invoice\u202efdp.exe", "invoice〔U+202E〕fdp.exe"),
        ("a\u2066b\u2069c\u200fd", "a〔U+2066〕b〔U+2069〕c〔U+200F〕d"),
        ("a\x00\x07\x1b[31mb", "a〔U+0000〕〔U+0007〕〔U+001B〕[31mb"),
        ("two\nlines\tand\u3000space", "two lines and space"),
        ("e\u0301\u0301\u0301\u0301", "é\u0301\u0301〔U+0301〕"),
        ("葛\U000e0100❤\ufe0f", "葛❤"),
        ("ｅ́ Å", "ｅ́ Å"),
        ("שלום مرحبا", "שלום مرحبا"),
    ],
)
def test_evidence_text_is_made_safe_to_print(given: str, shown: str) -> None:
    assert clean(given, 200) == shown


def test_evidence_text_is_cut_with_a_mark() -> None:
    assert clean("字" * 300, 200) == "字" * 199 + "…"
    assert clean("字" * 200, 200) == "字" * 200


def test_text_from_right_to_left_stays_in_its_place(render: Render) -> None:
    pdf = render("<table><tr><td>קובץ.pdf</td><td>12 345</td></tr></table>")
    assert faults(pdf) == [] and "12 345" in text_of(pdf)


def test_an_interrupted_question_leaves_no_answer_for_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever asks after somebody was stopped between question and answer must get a document of their own, or none."""

    class Stopped(BaseException):
        pass

    renderer = rendering._Renderer(FONTS, tmp_path)
    try:
        real = renderer._exchange

        def stopped(process: object, request: bytes) -> tuple[bytes, bytes]:
            process.stdin.write(b"\0" * rendering.MARK_BYTES + len(request).to_bytes(8) + request)  # type: ignore[attr-defined]
            process.stdin.flush()  # type: ignore[attr-defined]
            raise Stopped

        monkeypatch.setattr(renderer, "_exchange", stopped)
        with pytest.raises(Stopped):
            renderer.ask(b'{"html":"<p>first","identifier":"1","attachments":[]}')
        monkeypatch.setattr(renderer, "_exchange", real)
        page_two = b'{"html":"<html lang=en><title>second</title><p>second","identifier":"2","attachments":[]}'
        kind, payload = renderer.ask(page_two)
        assert kind == b"P"
        with pikepdf.open(io.BytesIO(payload)) as document:
            assert str(document.Root.Lang) == "en"
    finally:
        renderer.close()
