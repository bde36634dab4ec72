"""The process that renders: `python -m evidence.reports.renderer TEMPLATES FONTS...`, kept warm by `rendering.render`.

It loads the compiler and finds the fonts once, gives up network, privileges and all writing, and forks a child for each
request, so that a document which exhausts memory or time takes only its own child with it. The child may make no system call
but those of a parser: no socket, no new process. Nothing is compiled before the fork: the compiler's threads would stay behind.

On standard input: a mark, 8 bytes length, JSON request; on standard output: the same mark, one byte (`P` document, `F` fault),
8 bytes length, payload.
"""

import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

from evidence.runs import confinement, seccomp

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
        request = json.loads(requests.read(length))
        answer = _apart(lambda request=request: _document(request, templates=templates, faces=faces), nothing)  # type: ignore[misc]
        if answer[:1] == b"P":
            # In a process of its own: what the compiler holds and what the validator needs do not add up.
            answer = _apart(lambda made=answer[1:]: _conforming(made), nothing)  # type: ignore[misc]
        answers.write(mark + answer[:1] + (len(answer) - 1).to_bytes(8) + answer[1:])
        answers.flush()


def _preload(fonts: list[Path]) -> Any:
    """Everything that a child uses, loaded; the fonts found, and read which characters they have."""
    import page  # noqa: F401  # the package page-validation
    import typst

    from . import conformance, pdf_finish  # noqa: F401

    faces = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(p) for p in fonts])
    gc.freeze()
    return faces


def _apart(work: Callable[[], bytes], nothing: int) -> bytes:
    """`work` in a confined child: `P` and what it made, or `F` and why it made nothing."""
    here = os.getpid()
    reading, writing = os.pipe()
    if os.fork() == 0:
        _child(work, writing, nothing, parent=here)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    os.wait()
    return answer or b"Fthe renderer ended without a document (memory or time limit)"


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


def _document(request: dict[str, Any], *, templates: Path, faces: Any) -> bytes:
    import typst

    from .pdf_finish import finish

    nowhere = str(templates / "packages")  # there is none, and nothing is fetched
    compiler = typst.Compiler(
        str(templates / request["main"]),
        root=str(templates),
        font_paths=faces,
        ignore_system_fonts=True,
        sys_inputs=request["inputs"],
        package_path=nowhere,
        package_cache_path=nowhere,
    )
    try:
        made, warnings = compiler.compile_with_warnings(
            format="pdf", pdf_standards=cast(Any, STANDARDS), timestamp=datetime.fromisoformat(request["dated"])
        )
    except typst.TypstError as fault:
        raise ValueError(fault.diagnostic) from fault
    if warnings:  # a family that is not there, a sheet that never settles: nothing is printed otherwise than it was meant
        raise ValueError(warnings[0].diagnostic)
    return finish(cast(bytes, made))


def _conforming(pdf: bytes) -> bytes:
    from .conformance import faults

    if broken := faults(pdf):
        raise ValueError(f"not {broken[0]}")
    return pdf


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, templates=Path(sys.argv[1]), fonts=[Path(a) for a in sys.argv[2:]])
