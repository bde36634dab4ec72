"""Attempts to break out of the jail, made from inside it at every start (H10).

Run as the zygote's entry instead of the engine, on the order file of `jail.self_test` and on nothing else.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any


class Escaped(Exception):
    """The attempt worked. The message says how."""


def _denied(act: Callable[[], object]) -> str:
    """The refusal of `act` by a lock, in the system's words.

    Escaped when it worked, and also when it failed for another reason: a connection refused by its target is
    no proof of a jail.
    """
    try:
        done = act()
    except PermissionError as error:
        return str(error.strerror)
    except OSError as error:
        raise Escaped(f"not refused, only failed: {error}") from error
    raise Escaped(f"it worked: {done!r:.60}")


def _all_denied(act: Callable[[str], object], places: Sequence[str]) -> str:
    return ", ".join(sorted({_denied(partial(act, place)) for place in places}))


def _fork(_: dict[str, Any]) -> str:
    def act() -> None:
        if os.fork() == 0:
            os._exit(0)

    return _denied(act)


def _write(order: dict[str, Any]) -> str:
    places = (order["secret"], order["secret"] + "-escape", "/tmp/escape", "/dev/shm/escape")  # noqa: S108
    return _all_denied(lambda place: os.open(place, os.O_WRONLY | os.O_CREAT), places)


def _grow_memory_file(_: dict[str, Any]) -> str:
    return _denied(lambda: os.write(os.memfd_create("escape"), b"x"))


def _read(order: dict[str, Any]) -> str:
    places = (order["secret"], "/etc/shadow", "/etc/passwd", "/proc/self/environ",
    f"/proc/{order['parent']}/environ")
    return _all_denied(lambda place: os.open(place, os.O_RDONLY), places)


def _list(_: dict[str, Any]) -> str:
    return _all_denied(os.listdir, ("/", "/home", "/proc", "/etc", "/var"))


def _libc(name: str, *arguments: Any) -> str:
    libc = ctypes.CDLL(None, use_errno=True)

    def act() -> None:
        if libc[name](*arguments) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    return _denied(act)


def _parent_memory(order: dict[str, Any]) -> str:
    room = ctypes.create_string_buffer(8)
    vector = struct.pack("@PN", ctypes.addressof(room), 8)
    return _libc("process_vm_readv", order["parent"], vector, 1, vector, 1, 0)


def _environment(_: dict[str, Any]) -> str:
    if os.environ:
        raise Escaped(f"{len(os.environ)} variables: {sorted(os.environ)[0]}…")
    return "empty"


def _descriptors(_: dict[str, Any]) -> str:
    def is_open(fd: int) -> bool:
        with contextlib.suppress(OSError):
            os.fstat(fd)
            return True
        return False

    # 0-2 are /dev/null; then the result pipe and the order, wherever they landed
    found = [fd for fd in range(3, 1024) if is_open(fd)]
    if len(found) != 2:
        raise Escaped(f"descriptors {found}")
    return "only its own two"


def _more_memory(_: dict[str, Any]) -> str:
    try:
        mmap.mmap(-1, 1 << 30)
    except OSError as error:
        return str(error.strerror)
    raise Escaped("1 GiB was there")


def _threads(_: dict[str, Any]) -> str:
    """Not an escape: the engine hashes large files in two threads, so the filter must let them be."""
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(1))
    thread.start()
    thread.join()
    if not done:
        raise Escaped("threads do not work")
    return "as the engine needs them"


ATTEMPTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "connect (TCP)": lambda _: _denied(lambda: socket.create_connection(("127.0.0.1", 80), 1)),
    "connect (TCP, IPv6)": lambda _: _denied(lambda: socket.socket(socket.AF_INET6)),
    "send (UDP)": lambda _: _denied(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
    "local socket": lambda _: _denied(lambda: socket.socket(socket.AF_UNIX)),
    "socket pair": lambda _: _denied(socket.socketpair),
    "write a file": _write,
    "write to memory file": _grow_memory_file,
    "make a directory": lambda order: _denied(lambda: os.mkdir(order["secret"] + "-escape")),
    "execute": lambda _: _denied(lambda: os.execv("/bin/true", ["true"])),  # noqa: S606
    "execute (Python)": lambda _: _denied(lambda: os.posix_spawn("/bin/true", ["true"], {})),
    "fork": _fork,
    "signal the parent": lambda order: _denied(lambda: os.kill(order["parent"], 0)),
    "signal everybody": lambda _: _denied(lambda: os.kill(-1, signal.SIGCONT)),
    "read a secret": _read,
    "list directories": _list,
    "trace the parent": lambda order: _libc("ptrace", 16, order["parent"], 0, 0),
    "read the parent's memory": _parent_memory,
    "new namespace": lambda _: _libc("unshare", 0x10000000),
    "mount": lambda _: _libc("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "raise its own limits": lambda _: _libc("setrlimit", 7, struct.pack("@QQ", 4096, 4096)),
    "more memory than allowed": _more_memory,
    "environment": _environment,
    "foreign descriptors": _descriptors,
    "threads": _threads,
}


def attempt(files: Sequence[tuple[str, int]], _trust_dir: str, _at: str) -> bytes:
    """Make the attempt the order names; answer {"held", "how"}."""
    order = json.loads(os.pread(files[0][1], 4096, 0))
    try:
        held, how = True, ATTEMPTS[order["attempt"]](order)
    except Escaped as escape:
        held, how = False, str(escape)
    return json.dumps({"held": held, "how": how}).encode()
