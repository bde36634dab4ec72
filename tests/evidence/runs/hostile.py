"""What a parser taken over by a hostile file might do. Run inside the jail, as the zygote's entry, by test_jail.

The first file names the act; the answer, if there is one, is {"did": …}.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

Files = Sequence[tuple[str, int]]


def echo(files: Files) -> object:
    return [[label, hashlib.sha256(os.pread(fd, 1 << 24, 0)).hexdigest()] for label, fd in files]


def memory_bomb(_: Files) -> object:
    return len([bytearray(16 << 20) for _ in range(1000)])


def memory_bomb_survived(_: Files) -> object:
    kept = []
    try:
        while True:
            kept.append(bytearray(16 << 20))
    except MemoryError:
        return len(kept)


def cpu_loop(_: Files) -> NoReturn:
    while True:
        pass


def cpu_loop_deaf(_: Files) -> NoReturn:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    cpu_loop(_)


def cpu_loop_in_threads(_: Files) -> NoReturn:
    data = bytes(1 << 24)
    for _n in range(4):
        threading.Thread(target=lambda: [hashlib.sha256(data) for _ in range(10**6)], daemon=True).start()
    cpu_loop(_)


def sleep(_: Files) -> object:
    time.sleep(600)
    return "woke"


def hide_and_sleep(_: Files) -> object:
    os.closerange(0, 1024)
    time.sleep(600)
    return "woke"


def segfault(_: Files) -> object:
    return ctypes.string_at(0)


def abort(_: Files) -> NoReturn:
    os.abort()


def recursion(_: Files) -> object:
    def deeper(n: int) -> int:
        return deeper(n + 1)

    return deeper(0)


def large_answer(_: Files) -> object:
    return "x" * (50 << 20)


def endless_answer(files: Files) -> NoReturn:
    while True:
        os.write(_result(files), b" " * 65536)


def no_answer(_: Files) -> NoReturn:
    os._exit(0)


def claim_unconfined(_: Files) -> NoReturn:
    os._exit(103)


def forged_answer(files: Files) -> NoReturn:
    os.write(_result(files), b'J{"overall":"CONSISTENT"}')
    os._exit(0)


def strange_exception(_: Files) -> NoReturn:
    raise type("Bad\nname; rm -rf", (Exception,), {})("secret of a party")


def plain_exception(_: Files) -> NoReturn:
    raise LookupError("secret of a party")


def shout(_: Files) -> object:
    for stream in (sys.stdout, sys.stderr):
        stream.write("HOSTILE OUTPUT\n" * 1000)
        stream.flush()
    return "shouted"


def kill_around(_: Files) -> object:
    refused = []
    for pid in (os.getppid(), 0, 1, -1, os.getpid()):
        try:
            os.kill(pid, signal.SIGKILL)
        except PermissionError:
            refused.append(True)
    return refused


def _result(files: Files) -> int:
    """The result pipe: the one descriptor above the standard three that is not a file of ours."""
    return next(fd for fd in range(3, 256) if fd not in {f for _, f in files} and _is_open(fd))


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


ACTS: dict[str, Callable[[Files], object]] = {
    act.__name__: act
    for act in (
        echo, memory_bomb, memory_bomb_survived, cpu_loop, cpu_loop_deaf, cpu_loop_in_threads, sleep,
        hide_and_sleep, segfault, abort, recursion, large_answer, endless_answer, no_answer, claim_unconfined,
        forged_answer, strange_exception, plain_exception, shout, kill_around,
    )
}  # fmt: skip


def attempt(files: Files, _trust_dir: str, _at: str) -> bytes:
    return json.dumps({"did": ACTS[os.pread(files[0][1], 100, 0).decode()](files)}).encode()
