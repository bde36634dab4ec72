"""The clean process from which each run's child is forked.

Started by `evidence.runs.jail` as a script, isolated, with an empty environment:

    python -I -B -X utf8 zygote.py REPOSITORY PARENT_PID CONTROL_FD ENTRY strict|weak

It has no descriptor but its end of the control socket, no Django and no database; a child forked from the
worker itself would hold the database password in its memory. It imports ENTRY ("module:function") once, says
so on the control socket, then serves requests, one message each:

    {"files": [label, …], "trust_dir", "at", "memory_bytes", "cpu_seconds", "wall_seconds", "telling"}
    with descriptors: status socket, result pipe, one per file, and where `telling` the pipe for what a child says
    while it works (`telling`)

The child writes to the result pipe `E<text>` when a lock could not be applied (nothing was read then), else
`R` once it is confined, followed by `J<answer>` or `X<exception name>`; all after the `R` is untrusted. The
zygote reports on the status socket how the child ended: {"status", "timed_out", "cpu_seconds", "max_rss"}. It
kills a child whose time is up or whose status socket was shut by the requester, and ends with its parent.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])  # isolated mode puts neither this directory nor the repository there

from evidence.runs import confinement, seccomp, telling  # noqa: E402

REQUEST_MAX = 1 << 18  # bytes: fifty labels of 255 characters, escaped, are 153 KB
DESCRIPTORS_MAX = 64  # fifty files, the status socket and two pipes
EXIT_MEMORY, EXIT_EXCEPTION, EXIT_UNCONFINED = 101, 102, 103
Entry = Callable[[Sequence[tuple[str, int]], str, str], bytes]

# What a child may still read beside its files: shared objects and zone tables, for late imports.
_LIBRARIES = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
)


@dataclass(frozen=True)
class Request:
    files: list[str]
    trust_dir: str
    at: str
    memory_bytes: int
    cpu_seconds: int
    wall_seconds: int
    telling: bool


@dataclass
class Child:
    pid: int
    status: socket.socket
    deadline: float  # on the monotonic clock
    timed_out: bool = False

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class Zygote:
    """Forks one confined child per request, reports how each ended, and keeps nothing between them."""

    def __init__(
        self, control: socket.socket, entry: Entry, *, readable: Sequence[Path], landlock: bool
    ) -> None:
        self._control, self._entry, self._readable, self._landlock = control, entry, readable, landlock
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, Child] = {}
        self._pid = os.getpid()
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)

    def serve(self, parent: int) -> NoReturn:
        """Until the parent closes the control socket or dies."""
        self._selector.register(self._control, selectors.EVENT_READ, self._accept)
        self._selector.register(os.pidfd_open(parent), selectors.EVENT_READ, _end)
        while True:
            due = [child.deadline for child in self._children.values() if not child.timed_out]
            for key, _ in self._selector.select(max(0.0, min(due) - time.monotonic()) if due else None):
                key.data()
            for child in self._children.values():
                if not child.timed_out and child.deadline <= time.monotonic():
                    child.timed_out = True
                    child.kill()

    def _accept(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(
            self._control, REQUEST_MAX, DESCRIPTORS_MAX, socket.MSG_CMSG_CLOEXEC
        )
        if not message:
            _end()
        request = Request(**json.loads(message))
        status, result, *files = descriptors
        told = files.pop() if request.telling else None
        pid = os.fork()
        if pid == 0:
            self._child(request, result, files, told)
        with contextlib.suppress(PermissionError, ProcessLookupError):  # or the child was first
            os.setpgid(pid, pid)
        for fd in (result, *files, *([] if told is None else [told])):
            os.close(fd)
        child = Child(pid, socket.socket(fileno=status), time.monotonic() + request.wall_seconds)
        self._children[pid] = child
        ended = os.pidfd_open(pid)
        self._selector.register(ended, selectors.EVENT_READ, lambda: self._reap(child, ended))
        self._selector.register(child.status, selectors.EVENT_READ, lambda: self._cancel(child))

    def _cancel(self, child: Child) -> None:
        """The requester shut its side: it has seen enough output, or it is gone."""
        if child.pid in self._children:  # else reaped earlier in this same round of events
            self._selector.unregister(child.status)
            child.kill()

    def _reap(self, child: Child, ended: int) -> None:
        _, status, usage = os.wait4(child.pid, 0)
        del self._children[child.pid]
        self._selector.unregister(ended)
        os.close(ended)
        with contextlib.suppress(KeyError):  # cancelled before
            self._selector.unregister(child.status)
        report = {
            "status": status,
            "timed_out": child.timed_out,
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
            "max_rss": usage.ru_maxrss * 1024,
        }
        # The requester may be gone.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError), child.status:
            child.status.send(json.dumps(report).encode())

    def _child(self, request: Request, result: int, files: list[int], told: int | None) -> NoReturn:
        """The forked process, from its first to its last instruction."""
        code = EXIT_UNCONFINED
        try:
            try:
                self._confine(request, {result, *files, *([] if told is None else [told])})
            except BaseException as fault:
                _write(result, f"E{type(fault).__name__}: {fault}".encode()[:500])
                os._exit(code)
            _write(result, b"R")
            telling.descriptor = told
            found = self._entry(list(zip(request.files, files, strict=True)), request.trust_dir, request.at)
            _write(result, b"J")
            _write(result, found)
            code = 0
        except MemoryError:
            code = EXIT_MEMORY
        except BaseException as fault:
            code = EXIT_EXCEPTION
            _write(result, b"X" + type(fault).__name__.encode())
        finally:
            os._exit(code)

    def _confine(self, request: Request, own: set[int]) -> None:
        """All locks, in the one order that works: the filter last, as the others need calls it denies."""
        os.setpgid(0, 0)
        for standard in (0, 1, 2):
            os.dup2(self._null, standard)
        _close_all_but({0, 1, 2} | own)
        confinement.die_with(self._pid)
        confinement.limit_resources(memory_bytes=request.memory_bytes, cpu_seconds=request.cpu_seconds)
        confinement.drop_privileges()
        if self._landlock:
            confinement.read_only([*self._readable, Path(request.trust_dir)])
        seccomp.install()


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _close_all_but(kept: set[int]) -> None:
    edge = -1
    for fd in [*sorted(kept), 1 << 20]:
        if fd > edge + 1:  # closerange(0, 0) closes everything
            os.closerange(edge + 1, fd)
        edge = fd


def _end() -> NoReturn:
    os._exit(0)  # PDEATHSIG takes the children along


def _readable(repository: Path) -> list[Path]:
    """The interpreter's directories and this package; nothing else of the repository, which may hold data."""
    paths = [*sys.path, *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib")), *_LIBRARIES]
    others = (Path(path) for path in dict.fromkeys(paths) if path)
    return [repository / "evidence", *(path for path in others if path != repository)]


def main(repository: str, parent: str, control_fd: str, entry_name: str, weak: str) -> NoReturn:
    os.environ.clear()  # started without any; the interpreter itself puts LC_CTYPE there
    control = socket.socket(fileno=int(control_fd))
    module, _, function = entry_name.partition(":")
    entry: Entry = getattr(importlib.import_module(module), function)
    abi = confinement.landlock_abi()
    if not abi and weak != "weak":
        control.send(json.dumps({"error": "Landlock is not available in this kernel"}).encode())
        sys.exit(1)
    layers = {"landlock_abi": abi, "network_namespace": confinement.leave_network()}
    zygote = Zygote(control, entry, readable=_readable(Path(repository)), landlock=bool(abi))
    gc.collect()
    gc.freeze()  # the children then share these pages instead of copying them at their first collection
    control.send(json.dumps(layers).encode())
    zygote.serve(int(parent))


if __name__ == "__main__":
    main(*sys.argv[1:])
