"""The process that renders: `python -m evidence.reports.renderer TEMPLATES FONTS...`, kept warm by `rendering.render`.

It loads the compiler and finds the fonts once, gives up network, privileges and all writing, and forks a child for each
request, so that a document which exhausts memory or time takes only its own child with it. The child may make no system call
but those of a parser: no socket, no new process. Nothing is compiled before the fork: the compiler's threads would stay behind.

On standard input: a mark, 8 bytes length, request; on standard output: the same mark, one byte (`P` document, `F` fault),
8 bytes length, payload. A request is one line of JSON, which names the inputs of the document with their lengths in bytes, and then the
inputs one after another: what is attached has many megabytes and is spelt in no other form on its way.
"""

import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

from evidence.runs import confinement, seccomp

from . import conformance, pdf_finish
from .rendering import MARK_BYTES, MEMORY_MAX, SECONDS_MAX

READABLE = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/urandom", "/dev/null")
"""What late imports and the loader open. Evidence, keys and the database are none of it."""
STANDARDS = ["a-3a", "ua-1"]
FAULT_MAX = 2_000
"""Characters of what the compiler says about a fault: the message and the place in the template."""


def serve(requests: BinaryIO, answers: BinaryIO, *, templates: Path, fonts: list[Path]) -> None:
    """One request after another until the portal closes its end."""
    confinement.leave_network()  # first of all: later there may be threads, which stay behind
    faces = _preload(fonts)
    nothing = os.open(os.devnull, os.O_RDWR)
    confinement.drop_privileges()
    if confinement.landlock_abi():
        confinement.read_only([*map(Path, READABLE), Path(sys.prefix), Path(sys.base_prefix), templates, *fonts])
    while header := requests.read(MARK_BYTES + 8):
        mark, length = header[:MARK_BYTES], int.from_bytes(header[MARK_BYTES:])
        (answer,) = _apart([partial(_document, requests.read(length), templates=templates, faces=faces)], nothing)
        if answer[:1] == b"P":
            # In processes of their own: what the compiler holds and what the validator needs for each profile do not add up.
            said = _apart([partial(_conforming, answer[1:], profile) for profile in conformance.PROFILES], nothing)
            answer = next((one for one in said if one[:1] != b"P"), answer)
        answers.write(mark + answer[:1] + (len(answer) - 1).to_bytes(8) + answer[1:])
        answers.flush()


def _preload(fonts: list[Path]) -> Any:
    """Everything that a child uses, loaded; the fonts found, and read which characters they have."""
    import page  # noqa: F401  # the package page-validation
    import typst

    faces = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(p) for p in fonts])
    gc.freeze()
    return faces


def _apart(works: Sequence[Callable[[], bytes]], nothing: int) -> list[bytes]:
    """Each of `works` in a confined child of its own, all at the same time: `P` and what it made, or `F` and why it made nothing."""
    here = os.getpid()
    streams = []
    for work in works:
        reading, writing = os.pipe()
        if os.fork() == 0:
            _child(work, writing, nothing, parent=here)
        os.close(writing)
        streams.append(os.fdopen(reading, "rb"))
    answers = []
    for stream in streams:
        with stream:
            answers.append(stream.read() or b"Fthe renderer ended without a document (memory or time limit)")
    for _ in works:
        os.wait()
    return answers


def _child(work: Callable[[], bytes], writing: int, nothing: int, *, parent: int) -> NoReturn:
    """Every end becomes an answer; what the kernel ends has none."""
    try:
        _confine(writing, nothing, parent)
        gc.disable()  # one short-lived process
        answer = b"P" + work()
    except BaseException as fault:  # a panic of the compiler is one
        answer = b"F" + f"{type(fault).__name__}: {fault}"[:FAULT_MAX].encode("utf-8", "replace")
    with os.fdopen(writing, "wb") as stream:
        stream.write(answer)
    os._exit(0)


def _confine(own: int, nothing: int, parent: int) -> None:
    """All locks, in the one order that works: the filter last, as the others need calls it denies."""
    signal.alarm(SECONDS_MAX)
    for standard in (0, 1, 2):  # whoever takes over the child does not answer for the renderer
        os.dup2(nothing, standard)
    os.closerange(3, own)
    os.closerange(own + 1, confinement.NOFILE)
    confinement.die_with(parent)
    confinement.limit_resources(memory_bytes=MEMORY_MAX, cpu_seconds=SECONDS_MAX)
    seccomp.install()


def _document(request: bytes, *, templates: Path, faces: Any) -> bytes:
    import typst

    asked = json.loads(request[: (end := request.index(b"\n"))])
    inputs, start = {}, end + 1
    for name, length in asked["inputs"].items():
        inputs[name] = request[start : start + length].decode()
        start += length
    nowhere = str(templates / "packages")  # there is none, and nothing is fetched
    compiler = typst.Compiler(
        str(templates / asked["main"]),
        root=str(templates),
        font_paths=faces,
        ignore_system_fonts=True,
        sys_inputs=inputs,
        package_path=nowhere,
        package_cache_path=nowhere,
    )
    try:
        made, warnings = compiler.compile_with_warnings(
            format="pdf", pdf_standards=cast(Any, STANDARDS), timestamp=datetime.fromisoformat(asked["dated"])
        )
    except typst.TypstError as fault:
        raise ValueError(fault.diagnostic) from fault
    if warnings:  # a family that is not there, a sheet that never settles: nothing is printed otherwise than it was meant
        raise ValueError(warnings[0].diagnostic)
    return pdf_finish.finish(cast(bytes, made))


def _conforming(pdf: bytes, profile: str) -> bytes:
    if broken := conformance.against(pdf, profile):
        raise ValueError(f"not {broken[0]}")
    return b""


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, templates=Path(sys.argv[1]), fonts=[Path(a) for a in sys.argv[2:]])
