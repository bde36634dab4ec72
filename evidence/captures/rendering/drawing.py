"""From the worker's side: a page's bytes go into the cage, a picture comes out, and the jail draws that picture anew.

What the cage answers is the word of a process that looked at hostile bytes: a header of five plain values and a picture that is
decoded and encoded again in the jail (`reading.pictures.redrawn`) before anything is kept.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django.conf import settings

import evidence.verification
from evidence.runs.jail import Jail, Limits
from evidence.verification.codecs import strict_json

from . import cage, camera, program

log = logging.getLogger(__name__)

WIDTH = 1_280
"""Points of the window: a desk screen, as most screenshots of parties are."""
HEIGHT_MAX = 16_000
"""Points of a page that are drawn from its top (`reading.pictures.SHOWN_HEIGHT`); beyond, the page says how high it really is."""
INPUT_MAX = 64 << 20
SECONDS = 60
MEMORY = 1_500 << 20
"""Bytes of all processes of the browser together; a common page takes 250 MB, a picture of 1,280 × 16,000 points 600."""
ANSWER_MAX = camera.PNG_MAX + 4096
PICTURE_MAX = 16 << 20
ENTRY = "evidence.captures.rendering.redrawing:redraw"
_LIMITS = Limits(memory_bytes=1 << 30, cpu_seconds=30, wall_factor=1, output_bytes=PICTURE_MAX + 64)
_GRACE_SECONDS = 5
_REPOSITORY = Path(__file__).resolve().parents[3]
_STORE = Path(evidence.verification.__path__[0], "anchors")
_SIZE_MAX = 10_000_000
_STOPPED = re.compile(r"(TIMEOUT|RESOURCE_LIMIT|CRASH|LEFT): [ -~]{1,250}")


class Refused(RuntimeError):
    """No render is made on this machine: the browser cannot be cut off from the network, or is not there. The message says why."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """`width`, `height` of the picture; `full_…` of the page as the browser laid it out; `refused`: requests of the page that were."""

    png: bytes
    width: int
    height: int
    full_width: int
    full_height: int
    refused: int
    loaded: bool


def draw(path: Path, *, form: str) -> Drawn | str:
    """The picture of the page in `path` (form MHTML or HTML), or why there is none, such as "TIMEOUT: wall clock".

    Raises Refused when the cage cannot be closed here, and JailError when the jail failed.
    """
    binary = program.path()
    if binary is None:
        raise Refused("Chromium is not installed")
    if path.stat().st_size > INPUT_MAX:
        return "RESOURCE_LIMIT: size of the page"
    order = cage.Order(
        program=str(binary),
        form=form,
        width=WIDTH,
        height_max=HEIGHT_MAX,
        seconds=SECONDS,
        memory_bytes=MEMORY,
        sandbox=own_sandbox(),
    )
    answer = _caged(order, path)
    if isinstance(answer, str):
        return answer
    try:
        return _redrawn(*_read(answer))
    except ValueError:
        return "CRASH: the browser answered nonsense"


def why_not() -> str | None:
    """Why the cage cannot be closed on this machine, as the kernel says; None: it can. Takes a tenth of a second, starts no browser."""
    order = cage.Order("", "HTML", 1, 1, 10, MEMORY, False)
    try:
        _caged(order, Path(os.devnull))
    except Refused as fault:
        return str(fault)
    return None


@cache
def own_sandbox() -> bool:
    """Whether the browser's own sandbox works inside the cage on this machine (it wants user namespaces once more): tried once, with
    a page of ours. Where it does not, the cage alone holds."""
    binary = program.path()
    if binary is None:
        return False
    order = cage.Order(str(binary), "HTML", 100, 100, SECONDS, MEMORY, True)
    with tempfile.NamedTemporaryFile() as page:
        page.write(b"<!doctype html><title>.</title>")
        page.flush()
        tried = _caged(order, Path(page.name))
    if isinstance(tried, str):
        log.warning("Chromium's own sandbox does not work in the cage (%s): the cage alone holds", tried)
    return not isinstance(tried, str)


def _caged(order: cage.Order, path: Path) -> bytes | str:
    """What the camera answered, or why it was stopped. Raises Refused."""
    page = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    reading, writing = os.pipe2(os.O_CLOEXEC)
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-X", "utf8", cage.__file__, str(_REPOSITORY), str(os.getpid())]
            + [str(page), str(writing), json.dumps(asdict(order))],
            env={},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[page, writing],
            start_new_session=True,
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(page)
        os.close(writing)
    try:
        output = _collect(reading, seconds=order.seconds + _GRACE_SECONDS)
    finally:
        os.close(reading)
        # Ends process 1 of the cage by its leash, and with it all the rest.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if output is None:
        return "TIMEOUT: wall clock"
    if not output.startswith(b"R"):
        raise Refused(output[1:].decode(errors="replace") or "the cage ended before it was closed")
    if len(output) > ANSWER_MAX:
        return "RESOURCE_LIMIT: size of the picture"
    if output[1:2] == b"J":
        return output[2:]
    said = output[2:].decode("ascii", "replace")
    return said if _STOPPED.fullmatch(said) else "CRASH: the browser ended"


def _collect(reading: int, *, seconds: float) -> bytes | None:
    """All that is written until the other end is closed, at most one byte more than it may be; None when time is up."""
    deadline = time.monotonic() + seconds
    output = bytearray()
    while len(output) <= ANSWER_MAX:
        if not select.select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return None
        chunk = os.read(reading, 1 << 20)
        if not chunk:
            break
        output += chunk
    return bytes(output)


def _read(answer: bytes) -> tuple[dict[str, object], bytes]:
    """Header and picture of an answer. Raises ValueError."""
    size = int.from_bytes(answer[:8], "big")
    if size > 4096:
        raise ValueError("not a header")
    header = strict_json.loads(answer[8 : 8 + size])
    if not isinstance(header, dict) or header.keys() != {"browser", "full_width", "full_height", "refused", "loaded"}:
        raise ValueError("not a header")
    return header, answer[8 + size :]


def _redrawn(header: dict[str, object], png: bytes) -> Drawn | str:
    with tempfile.NamedTemporaryFile() as untrusted:
        untrusted.write(png)
        untrusted.flush()
        result = _jail().run([("render", Path(untrusted.name))], trust_dir=_STORE, at=datetime.now(UTC), limits=_LIMITS)
    if result.verdict_json is None:
        return f"{result.killed}: drawing the picture anew: {result.detail}"
    width, height = (int.from_bytes(result.verdict_json[n : n + 4], "big") for n in (0, 4))
    again = result.verdict_json[8:]
    if not again.startswith(b"\x89PNG\r\n\x1a\n") or len(again) > PICTURE_MAX or not 0 < width * height <= WIDTH * HEIGHT_MAX:
        return "CRASH: the picture is none"
    full_width, full_height, refused = (_whole(header[name]) for name in ("full_width", "full_height", "refused"))
    return Drawn(again, width, height, full_width, full_height, refused, header["loaded"] is True)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _SIZE_MAX:
        raise ValueError("not such a number")
    return value


@cache
def _jail() -> Jail:
    return Jail(weak=settings.PORTAL_WEAK_JAIL, entry=ENTRY)
