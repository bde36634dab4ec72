"""The jail: the engine over a party's files, in a child process that can do nothing but compute and answer.

    jail = Jail()
    result = jail.run([("证书.json", path)], trust_dir=pack, at=at)

One clean process, the zygote, is kept (see `zygote`); each run forks from it, which takes a few milliseconds
instead of the hundreds of a fresh interpreter. Layers on the child: own process group killed by wall clock,
death with its parent, empty environment, no foreign descriptor, no capability, resource limits, Landlock,
seccomp, an empty network namespace where permitted. What it answers is read up to a limit and never believed:
a child taken over by hostile bytes can lie about its own files and do nothing else.

`python -m evidence.runs.jail --self-test` tries to break out and prints how; exit 1 if it can.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from evidence.runs.telling import Listener, Told

ENTRY = "evidence.runs.examination:examine"
PROBES = "evidence.runs.probes:attempt"
FILES_MAX = 50  # the engine's own limit of one exhibit
LABEL_MAX = 255
START_SECONDS = 60  # importing every format on a busy machine; a second is usual
GRACE_SECONDS = 10  # beyond a run's own wall clock, before the zygote itself is taken for stuck
_REPOSITORY = Path(__file__).resolve().parents[2]
_ZYGOTE = Path(__file__).with_name("zygote.py")
_EXIT_MEMORY = 101  # as in zygote.py, which is not imported here: the two are different programs


class JailError(RuntimeError):
    """The jail failed, not the file: no verdict was reached and the run may simply be tried again."""


class Killed(StrEnum):
    """Why a run ended without a verdict, through what it was given."""

    RESOURCE_LIMIT = "RESOURCE_LIMIT"  # memory, processor time or size of the answer
    TIMEOUT = "TIMEOUT"
    CRASH = "CRASH"


@dataclass(frozen=True)
class Limits:
    """Bounds of one run. Lanes may choose their own; the defaults are the goals of the product (G8)."""

    memory_bytes: int = 512 << 20
    cpu_seconds: int = 20
    cpu_seconds_per_100_mb: int = 60  # formats pass over their input many times
    wall_factor: int = 2  # wall clock in terms of processor time: the processors are shared
    wall_seconds_max: int = 3600  # whatever the size: a run holds its worker for so long at most
    output_bytes: int = 8 << 20  # a verdict is a few KB; a hostile archive may yield thousands of findings

    def cpu(self, input_bytes: int) -> int:
        """Processor seconds for an exhibit of this size."""
        return max(self.cpu_seconds, -(-input_bytes * self.cpu_seconds_per_100_mb // 100_000_000))


@dataclass(frozen=True)
class JailResult:
    """What the child answered (to be parsed strictly and compared with what was asked), or why it was killed.

    `max_rss` is in bytes and includes what the child shares with the zygote; `detail` names the signal, the
    exhausted resource or the exception, for the operator.
    """

    verdict_json: bytes | None
    killed: str | None
    cpu_seconds: float
    max_rss: int
    detail: str = ""


@dataclass(frozen=True)
class _Zygote:
    process: subprocess.Popen[bytes]
    control: socket.socket
    owner: int  # the process that started it
    landlock_abi: int
    network_namespace: bool

    def usable(self) -> bool:
        return self.owner == os.getpid() and self.process.poll() is None


class Jail:
    """Safe to share between threads; in a forked process it starts a zygote of its own.

    `weak=True` permits running on a kernel without Landlock; `layers()` then says so, and the report must.
    `entry`, "module:function", is what a child runs instead of the engine: for the jail's own tests.
    """

    def __init__(self, *, weak: bool = False, entry: str = ENTRY) -> None:
        self._weak, self._entry = weak, entry
        self._lock = threading.Lock()
        self._zygote: _Zygote | None = None

    def run(
        self,
        files: Sequence[tuple[str, Path]],
        *,
        trust_dir: Path,
        at: datetime,
        limits: Limits = Limits(),  # noqa: B008  frozen
        heard: Callable[[Told], None] | None = None,
    ) -> JailResult:
        """Examine `files` (label, path) under the anchor pack in `trust_dir`, as of the aware datetime `at`.

        `heard` is told now and then what the child claims of its progress (`telling`); what it raises ends the run.
        Blocks until the child has ended, at most its wall clock plus a few seconds. Raises OSError for a file
        that cannot be opened, ValueError for a malformed request, JailError when the jail failed.
        """
        if at.tzinfo is None:
            raise ValueError("`at` needs a time zone")
        if not 1 <= len(files) <= FILES_MAX or any(len(label) > LABEL_MAX for label, _ in files):
            raise ValueError(f"a run takes 1 to {FILES_MAX} files, labels of at most {LABEL_MAX} characters")
        with contextlib.ExitStack() as stack:
            descriptors = [_open(path, stack) for _, path in files]
            sizes = [os.fstat(fd).st_size for fd in descriptors]
            cpu = limits.cpu(sum(sizes))
            wall = min(cpu * limits.wall_factor, limits.wall_seconds_max)
            request = {
                "files": [label for label, _ in files],
                "trust_dir": str(trust_dir.resolve()),
                "at": at.isoformat(),
                "memory_bytes": limits.memory_bytes,
                "cpu_seconds": cpu,
                "wall_seconds": wall,
                "telling": heard is not None,
            }
            said = None
            if heard is not None:
                said, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
                stack.callback(os.close, writing)
            try:
                status, result = self._submit(request, descriptors if said is None else [*descriptors, writing])
            except BaseException:
                if said is not None:
                    os.close(said)
                raise
        with status, os.fdopen(result, "rb") as answer, contextlib.ExitStack() as stack:
            listener = None
            if said is not None and heard is not None:
                stack.callback(os.close, said)
                listener = (said, Listener(sizes, heard))
            limit = len(b"RJ") + limits.output_bytes
            output, report = self._collect(
                status, answer.fileno(), limit=limit, seconds=wall + GRACE_SECONDS, listener=listener
            )
        return _conclude(output, report, limit=limit, cpu=cpu)

    def layers(self) -> dict[str, str]:
        """What confines a child on this machine, layer by layer, in words for the operator and the report."""
        with self._lock:
            zygote = self._ready()
        abi = zygote.landlock_abi
        landlock = f"ABI {abi}" + ("" if abi >= 4 else ", too old for rules on TCP")
        return {
            "process": "own group, dies with its parent, empty environment, no capability",
            "rlimits": "memory, processor time, no file growth, descriptors, no core",
            "landlock": landlock if abi else "ABSENT (weak jail)",
            "seccomp": f"allow list, {os.uname().machine}",
            "network namespace": "empty" if zygote.network_namespace else "not permitted here",
        }

    def close(self) -> None:
        """End the zygote and with it every child. The jail may be used again; it then starts a new one."""
        with self._lock:
            self._discard()

    def __enter__(self) -> Jail:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _submit(self, request: dict[str, object], descriptors: Sequence[int]) -> tuple[socket.socket, int]:
        """Hand one request to the zygote; return our ends of its status socket and result pipe."""
        status, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        result, result_theirs = os.pipe2(os.O_CLOEXEC)
        try:
            message = json.dumps(request).encode()
            passed = [theirs.fileno(), result_theirs, *descriptors]
            with self._lock:
                try:
                    socket.send_fds(self._ready().control, [message], passed)
                except (BrokenPipeError, ConnectionResetError):  # it died between the check and the sending
                    self._discard()
                    socket.send_fds(self._ready().control, [message], passed)
        except BaseException:
            status.close()
            os.close(result)
            raise
        finally:
            theirs.close()
            os.close(result_theirs)
        return status, result

    def _ready(self) -> _Zygote:
        """The running zygote, started if need be. Call with the lock held."""
        if self._zygote is None or not self._zygote.usable():
            self._discard()
            self._zygote = self._start()
        return self._zygote

    def _start(self) -> _Zygote:
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mode = "weak" if self._weak else "strict"
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-X", "utf8", str(_ZYGOTE)]
                + [str(_REPOSITORY), str(os.getpid()), str(theirs.fileno()), self._entry, mode],
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        control.settimeout(START_SECONDS)
        try:
            said = json.loads(control.recv(1 << 16) or b'{"error": "it ended, see its error output"}')
            if "error" in said:
                raise JailError(f"the jail could not start: {said['error']}")
        except BaseException as error:
            control.close()
            process.kill()
            process.wait()
            if isinstance(error, TimeoutError):
                raise JailError("the jail did not start in time") from error
            raise
        control.settimeout(None)
        return _Zygote(process, control, os.getpid(), said["landlock_abi"], said["network_namespace"])

    def _discard(self) -> None:
        """Forget the zygote; end it if it is ours. Call with the lock held."""
        zygote, self._zygote = self._zygote, None
        if zygote is None:
            return
        zygote.control.close()
        if zygote.owner == os.getpid():
            zygote.process.kill()
            zygote.process.wait()

    def _collect(
        self,
        status: socket.socket,
        result: int,
        *,
        limit: int,
        seconds: int,
        listener: tuple[int, Listener] | None,
    ) -> tuple[bytes, bytes]:
        """Read the child's output (stopping one byte beyond the limit) and the zygote's report on how it ended."""
        deadline = time.monotonic() + seconds
        output = bytearray()
        report = b""
        waiting = select.poll()
        waiting.register(result, select.POLLIN)
        waiting.register(status, select.POLLIN)
        if listener is not None:
            waiting.register(listener[0], select.POLLIN)
        open_fds = {result, status.fileno()}
        while open_fds:
            ready = [fd for fd, _ in waiting.poll(max(0.0, deadline - time.monotonic()) * 1000)]
            if not ready:
                self.close()
                raise JailError("the zygote did not answer in time and was ended")
            for fd in ready:
                if listener is not None and fd == listener[0]:
                    if not listener[1].take(os.read(fd, 1 << 12)):
                        waiting.unregister(fd)
                    continue
                if fd == result:
                    chunk = os.read(result, min(1 << 16, limit + 1 - len(output)))
                    output += chunk
                    if chunk and len(output) <= limit:
                        continue
                    if chunk and status.fileno() in open_fds:
                        status.shutdown(socket.SHUT_WR)  # the zygote then kills the child and still reports
                else:
                    report = status.recv(1 << 12)
                    if not report:
                        raise JailError("the zygote died during the run")
                waiting.unregister(fd)
                open_fds.discard(fd)
        return bytes(output), report


def _open(path: Path, stack: contextlib.ExitStack) -> int:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    stack.callback(os.close, fd)
    return fd


def _conclude(output: bytes, report: bytes, *, limit: int, cpu: int) -> JailResult:
    """What a run's output and its end amount to. In the output, all after the `R` is untrusted."""
    ended = json.loads(report)
    status, used, rss = int(ended["status"]), float(ended["cpu_seconds"]), int(ended["max_rss"])
    signalled = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else ""
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1

    def without(killed: Killed, detail: str) -> JailResult:
        return JailResult(None, killed.value, used, rss, detail)

    if output[:1] != b"R":
        raise JailError(f"a child could not be confined: {output[1:].decode(errors='replace') or signalled}")
    if len(output) > limit:
        return without(Killed.RESOURCE_LIMIT, "size of the answer")
    if ended["timed_out"]:
        return without(Killed.TIMEOUT, "wall clock")
    if signalled == "SIGXCPU" or (signalled == "SIGKILL" and used >= cpu):
        return without(Killed.RESOURCE_LIMIT, "processor time")
    if signalled == "SIGKILL":
        raise JailError("the child was killed from outside (an operator, or the system short of memory)")
    if code == _EXIT_MEMORY:
        return without(Killed.RESOURCE_LIMIT, "memory")
    if code != 0 or output[1:2] != b"J":
        name = re.fullmatch(rb"RX([A-Za-z_][A-Za-z0-9_]{0,79})", output)
        return without(Killed.CRASH, name[1].decode() if name else signalled or f"exit {code}")
    return JailResult(output[2:], None, used, rss)


def self_test(*, weak: bool = False) -> list[tuple[str, bool, str]]:
    """Try to break out (H10): (attempt, held, what happened) for each. All must be held, or do not start."""
    from evidence.runs.probes import ATTEMPTS  # imports ctypes and mmap, which a worker has no use for

    rows = []
    with Jail(weak=weak, entry=PROBES) as jail, tempfile.TemporaryDirectory() as place:
        order, secret = Path(place, "order"), Path(place, "secret")
        secret.write_text("court secret")
        for name in ATTEMPTS:
            order.write_text(json.dumps({"attempt": name, "secret": str(secret), "parent": os.getpid()}))
            try:
                result = jail.run([("order", order)], trust_dir=Path("/nonexistent"), at=datetime.now(UTC))
            except JailError as error:
                rows.append((name, False, str(error)))
                continue
            said = json.loads(result.verdict_json or json.dumps({"held": False, "how": result.detail}))
            rows.append((name, said["held"] is True, said["how"]))
    return rows


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m evidence.runs.jail", description="The jail.")
    parser.add_argument("--self-test", action="store_true", required=True, help="try to break out, print how")
    parser.add_argument("--weak", action="store_true", help="run even on a kernel without Landlock")
    weak = parser.parse_args(arguments).weak
    try:
        with Jail(weak=weak) as jail:
            for layer, words in jail.layers().items():
                print(f"{layer:<20} {words}")
        rows = self_test(weak=weak)
    except JailError as error:
        print(error, file=sys.stderr)
        return 1
    for name, held, how in rows:
        print(f"{'held' if held else 'BROKEN':<8} {name:<28} {how}")
    return 0 if all(held for _, held, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
