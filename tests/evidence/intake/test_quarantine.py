"""What quarantine tells a sender, what it refuses, and the court's scanner."""

from __future__ import annotations

import io
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from evidence.intake import sentences
from evidence.intake.quarantine import Examined, examine
from evidence.intake.sentences import Refused

from . import samples

NINE = {
    "UPLOAD_NONE": "请选择要提交的文件",
    "UPLOAD_TOO_BIG": "文件超过 512 MB，请改用分段上传或联系书记员",
    "UPLOAD_VIRUS": "文件中发现恶意程序，未接收",
    "UPLOAD_FAILED": "上传中断，已保存到 43%，请重试",
    "UPLOAD_TEMPLATE": "请使用本院提供的表格（版本 2）",
    "UPLOAD_EMPTY": "文件是空的（0 字节）",
    "UPLOAD_PASSWORD": "文件有密码。请去掉密码，或把密码交给书记员",
    "UPLOAD_TOO_MANY": "一次最多 512 MB 个文件，其余请分批提交",
}


def look(data: bytes, name: str, declared: str = "") -> Examined:
    return examine(io.BytesIO(data), size=len(data), name=name, declared_type=declared)


def codes(data: bytes, name: str, declared: str = "") -> list[str]:
    return [notice.code for notice in look(data, name, declared).notices]


@pytest.mark.parametrize("code", NINE)
def test_the_sentences_of_the_court_domain(code: str) -> None:
    with translation.override("zh-hans"):
        assert sentences.refusal(code, n="512 MB", p=43, v=2) == NINE[code]


def test_the_sentence_for_a_kind_not_taken_lists_what_is() -> None:
    with translation.override("zh-hans"):
        assert sentences.refusal("UPLOAD_TYPE").startswith("这种文件不能受理。可受理：网页快照（WACZ")


def test_no_sentence_judges() -> None:
    for text in [*sentences.REFUSALS.values(), *sentences.WARNINGS.values(), sentences.ACCEPTED]:
        assert not any(word in str(text) for word in ("真实", "属实", "伪造", "采信"))


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        look(b"", "a.txt")
    assert refused.value.code == "UPLOAD_EMPTY"


@pytest.mark.parametrize("name", samples.KINDS)
def test_every_kind_is_taken(name: str) -> None:
    data, media_type, extension = samples.KINDS[name]
    found = look(data, f"a.{extension}")
    assert found.media_type == media_type
    assert {n.code for n in found.notices} <= {"PROGRAM"}


@pytest.mark.parametrize(
    ("data", "name", "declared", "code"),
    [
        (samples.jpeg(), "IMG_1234.HEIC", "image/heic", "RECODED_SUSPECTED"),
        (samples.jpeg(), "IMG_1234.heic", "", "RECODED_SUSPECTED"),
        (samples.jpeg(), "IMG_1234.jpeg", "image/jpeg", "RECODED_SUSPECTED"),
        (samples.jpeg(), "mmexport1700000000000.jpg", "image/jpeg", "RECODED_SUSPECTED"),
        (samples.jpeg(), "mmexport1700000000000(1).jpg", "", "RECODED_SUSPECTED"),
        (samples.jpeg(), "微信图片_20260301120000.jpg", "", "RECODED_SUSPECTED"),
        (samples.png(), "微信图片_20260301120000.png", "", "RECODED_SUSPECTED"),
        (samples.mp4(), "IMG_0001.MOV", "video/quicktime", "RECODED_SUSPECTED"),
        (samples.mp4(), "wx_camera_1700000000000.mp4", "", "RECODED_SUSPECTED"),
        (samples.pdf(trailer=b"/Encrypt 5 0 R"), "certificate.pdf", "", "CONTENT_ENCRYPTED"),
        (samples.encrypted_zip(), "package.zip", "", "CONTENT_ENCRYPTED"),
        (samples.mp4()[:-60], "recording.mp4", "", "CONTENT_DAMAGED"),
        (samples.png() + b"tail", "a.png", "", "CONTENT_TRAILING"),
        (samples.jpeg() + samples.archive({"a": b"b"}), "a.jpg", "", "ALSO_PARSES"),
        (samples.pdf(), "page.wacz", "", "TYPE_MISMATCH"),
        (b"MZ\x90\0" + b"\0" * 99, "tool.exe", "", "PROGRAM"),
        (b"text", "a\u202etxt.exe", "", "NAME_UNUSUAL"),
    ],
)
def test_notices(data: bytes, name: str, declared: str, code: str) -> None:
    assert code in codes(data, name, declared)


@pytest.mark.parametrize(
    ("data", "name", "declared"),
    [
        (samples.jpeg(exif=True), "IMG_1234.JPG", "image/jpeg"),
        (samples.jpeg(exif=True), "mmexport1700000000000.jpg", ""),
        (samples.jpeg(), "scan.jpg", "image/jpeg"),
        (samples.heic(), "IMG_1234.HEIC", "image/heic"),
        (samples.mp4(b"qt  "), "IMG_0001.MOV", "video/quicktime"),
        (samples.wacz(), "page.wacz", "application/zip"),
    ],
)
def test_an_original_is_not_suspected(data: bytes, name: str, declared: str) -> None:
    assert codes(data, name, declared) == []


def test_every_notice_has_its_sentence() -> None:
    found = look(samples.pdf(), "page.wacz").notices[0]
    with translation.override("zh-hans"):
        assert "“.wacz”" in sentences.warning(found.code, **found.values)


def test_what_the_court_does_not_take_is_refused_by_its_policy(settings: Any) -> None:
    settings.PORTAL_UPLOAD_REFUSED = {"application/vnd.microsoft.portable-executable"}
    with pytest.raises(Refused) as refused:
        look(b"MZ\x90\0" + b"\0" * 99, "renamed.pdf")
    assert refused.value.code == "UPLOAD_TYPE"


# ── the scanner ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def clamd(tmp_path: Path, settings: Any) -> Iterator[Callable[[bytes], list[bytes]]]:
    """A scanner that speaks clamd's INSTREAM over a Unix socket, answers as told and keeps what it was sent."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "clamd"))
    listening.listen(1)
    settings.PORTAL_CLAMD = str(tmp_path / "clamd")
    threads: list[threading.Thread] = []

    def answering(answer: bytes) -> list[bytes]:
        got: list[bytes] = []

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as stream:
                assert stream.read(10) == b"zINSTREAM\0"
                while size := struct.unpack("!I", stream.read(4))[0]:
                    got.append(stream.read(size))
                connection.sendall(answer)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return got

    yield answering
    for thread in threads:
        thread.join(5)
    listening.close()


def test_the_scanner_sees_the_whole_file(clamd: Callable[[bytes], list[bytes]]) -> None:
    data = samples.wacz() * 5000
    got = clamd(b"stream: OK\0")
    look(data, "a.bin")
    assert b"".join(got) == data


def test_harmful_software_is_refused(clamd: Callable[[bytes], list[bytes]]) -> None:
    clamd(b"stream: Eicar-Test-Signature FOUND\0")
    with pytest.raises(Refused) as refused:
        look(b"x", "a.txt")
    assert refused.value.code == "UPLOAD_VIRUS"


@pytest.mark.parametrize(
    "answer", [b"INSTREAM size limit exceeded. ERROR\0", b"", b"stream: OK but not really\0"]
)
def test_no_plain_answer_is_no_clearance(clamd: Callable[[bytes], list[bytes]], answer: bytes) -> None:
    clamd(answer)
    with pytest.raises(Refused) as refused:
        look(b"x", "a.txt")
    assert refused.value.code == "UPLOAD_UNCHECKED"


def test_a_scanner_that_is_not_there_is_no_clearance(tmp_path: Path, settings: Any) -> None:
    settings.PORTAL_CLAMD = str(tmp_path / "nobody")
    with pytest.raises(Refused) as refused:
        look(b"x", "a.txt")
    assert refused.value.code == "UPLOAD_UNCHECKED"
