"""The process in which the court's Chromium looks at a party's page: nothing of this machine but libraries, fonts and that page.

Started by `evidence.captures.rendering.drawing` as a script, isolated, with an empty environment:

    python -I -B -X utf8 cage.py REPOSITORY PARENT_PID INPUT_FD RESULT_FD ORDER

ORDER is JSON, see `Order`. Namespaces are taken without any privilege (a user namespace first; root first becomes `nobody`):

    user      one account, 1000, which is nobody special outside
    network   only `lo`, and that is down: no address answers, 127.0.0.1 of the host least of all
    mount     a new root of libraries, fonts and the browser, read-only, and a small private /tmp; no /etc but fonts, no /home, no
              /run, hence no socket of a database or a session bus
    pid       the watcher below is process 1: when it ends, or its time is up, the kernel ends every process in here
    ipc, uts, cgroup   nobody else's

Then: no capability, NO_NEW_PRIVS, limits on processes, memory, files and processor time, first to go when memory runs short.

What is written to RESULT_FD: `E<reason>` when the cage could not be closed (no byte of the page was looked at and no browser
started), else `R`, then `J<answer>` of `camera` or `X<reason>`. All after the `R` is untrusted.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])  # isolated mode puts neither this directory nor the repository there

from evidence.captures.rendering import camera  # noqa: E402
from evidence.runs import confinement  # noqa: E402

_libc = ctypes.CDLL(None, use_errno=True)
# <linux/sched.h>, <linux/mount.h>, <linux/prctl.h>, <asm-generic/unistd.h>
_NEW = {"user": 0x10000000, "mnt": 0x00020000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x08000000, "uts": 0x04000000, "cgroup": 0x02000000}
_NOSUID, _NODEV, _NOEXEC, _BIND, _REC, _PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
_MNT_DETACH, _PR_SET_DUMPABLE = 2, 4
_MOUNT_SETATTR, _AT_RECURSIVE, _ATTR_RDONLY, _ATTR_NOSUID = 442, 0x8000, 1, 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "loongarch64": 41, "riscv64": 41}
NOBODY = 65534
INSIDE = 1000

SHOWN = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/fontconfig", "/usr/share/X11/locale")
"""Of the machine, read-only; the browser's own directory beside them."""
SHOWN_OF_ETC = ("/etc/fonts", "/etc/ld.so.cache")
LINKS = ("/lib", "/lib64")
DEVICES = ("null", "zero", "full", "random", "urandom")
SHARED_BYTES = 512 << 20
"""Of /dev/shm and of /tmp: the browser passes its bitmaps there; a page of 1,280 × 16,000 points is 82 MB."""
FILE_BYTES = 384 << 20
PROCESSES = 400
"""And threads: a page needs about 120."""
_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Order:
    """`form` MHTML or HTML; `seconds` by the wall clock for all of it; `memory_bytes` of all processes together.

    `program` "" only closes the cage, for the start-up check. `sandbox`: the browser's own, as a second cage inside this one."""

    program: str
    form: str
    width: int
    height_max: int
    seconds: float
    memory_bytes: int
    sandbox: bool


class Refused(RuntimeError):
    """The cage cannot be closed here; the message says which lock failed, for the operator."""


def main(repository: str, parent: str, input_fd: str, result_fd: str, order: str) -> NoReturn:
    result, page = int(result_fd), int(input_fd)
    wanted = Order(**json.loads(order))
    try:
        leash, held = os.pipe()
        _become_nobody(int(parent))
        _leave()
        watcher = os.fork()
    except BaseException as fault:
        _say(result, b"E" + _reason(fault))
        os._exit(1)
    if watcher == 0:
        os.close(held)
        _inside(wanted, page=page, result=result, leash=leash)
    os.close(result)
    _, status = os.waitpid(watcher, 0)
    os._exit(0 if status == 0 else 1)


# ── outside: who it is, and which namespaces ──────────────────────────────────────────────────────────────────────────


def _become_nobody(parent: int) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        # A change of account makes /proc/self root's, and its maps could not be written; it holds no secret.
        _check(_libc.prctl(ctypes.c_int(_PR_SET_DUMPABLE), *map(ctypes.c_ulong, (1, 0, 0, 0))), "DUMPABLE")
    confinement.die_with(parent)  # after the change of account, which would undo it


def _leave() -> None:
    """Into namespaces of its own; that the network is another one is looked at, not believed."""
    uid, gid = os.geteuid(), os.getegid()
    before = os.stat("/proc/self/ns/net").st_ino
    _check(_libc.unshare(ctypes.c_int(sum(_NEW.values()))), "own user, mount, process and network namespaces")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{INSIDE} {uid} 1"), ("gid_map", f"{INSIDE} {gid} 1")):
        Path("/proc/self", name).write_text(text)
    if os.stat("/proc/self/ns/net").st_ino == before:
        raise Refused("the network namespace is still the host's")


# ── inside: process 1 of its own world ────────────────────────────────────────────────────────────────────────────────


def _inside(order: Order, *, page: int, result: int, leash: int) -> NoReturn:
    """The watcher, from its first to its last instruction. With it ends everything in the cage."""
    try:
        try:
            os.setsid()
            confinement.die_with(0)  # its parent is outside this process namespace, and seen as 0
            for standard in (0, 1, 2):
                os.dup2(os.open(os.devnull, os.O_RDWR), standard)
            name = _furnish(order, page)
            _no_network()
            confinement.drop_privileges()
            Path("/proc/self/oom_score_adj").write_text("1000")
        except BaseException as fault:
            _say(result, b"E" + _reason(fault))
            os._exit(1)
        if os.getpid() != 1:
            _say(result, b"Enot a process namespace of its own")
            os._exit(1)
        _say(result, b"R")
        if not order.program:
            _say(result, b"J")
            os._exit(0)
        _watch(order, name, result, leash)
    except BaseException as fault:
        _say(result, b"X" + _reason(fault))
    os._exit(0)


def _furnish(order: Order, page: int) -> str:
    """The new root: what is shown of the machine, devices, /proc of this process namespace, /tmp, and the page. Its path in there."""
    _mount("", "/", "", _REC | _PRIVATE)
    root = Path("/tmp")  # noqa: S108  a place to hang the new root on, seen by nobody else
    _mount("tmpfs", str(root), "tmpfs", _NOSUID | _NODEV, "size=160m,mode=0755")
    shown = [*SHOWN, *([str(Path(order.program).parent)] if order.program else [])]
    # The browser's own directory lies in /usr/lib as a rule.
    for path in dict.fromkeys(p for p in shown if not any(p != s and p.startswith(s + "/") for s in SHOWN)):
        _show(root, Path(path))
    for path in SHOWN_OF_ETC:
        _show(root, Path(path))
    for link in LINKS:
        if Path(link).is_symlink():
            (root / link[1:]).symlink_to(os.readlink(link))
        else:
            _show(root, Path(link))
    for name in DEVICES:
        _show(root, Path("/dev", name), locked=False)
    for name in ("dev/shm", "tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
        _mount("tmpfs", str(root / name), "tmpfs", _NOSUID | _NODEV | _NOEXEC, f"size={SHARED_BYTES},mode=0700")
    (root / "proc").mkdir()
    _mount("proc", str(root / "proc"), "proc", _NOSUID | _NODEV | _NOEXEC)
    name = "/page.mhtml" if order.form == "MHTML" else "/page.html"
    with open(root / name[1:], "xb") as copy, open(page, "rb") as given:
        shutil.copyfileobj(given, copy)
    os.chdir(root)
    _check(_libc.syscall(ctypes.c_long(_PIVOT_ROOT.get(os.uname().machine, 41)), b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", _MNT_DETACH), "letting go of the machine's own root")
    os.chdir("/")
    _lock(Path("/"), recursive=False)
    return name


def _show(root: Path, path: Path, *, locked: bool = True) -> None:
    if not path.exists():
        return
    here = root / str(path)[1:]
    here.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        here.mkdir(exist_ok=True)
    else:
        here.touch()
    _mount(str(path), str(here), "", _BIND | _REC)
    if locked:
        _lock(here, recursive=True)


def _lock(path: Path, *, recursive: bool) -> None:
    """Read-only, whatever is mounted below as well (mount_setattr(2), Linux 5.12)."""
    attributes = (ctypes.c_uint64 * 4)(_ATTR_RDONLY | _ATTR_NOSUID, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    arguments = (ctypes.c_int(-100), str(path).encode(), ctypes.c_uint(flags), attributes, ctypes.c_size_t(32))
    _check(_libc.syscall(ctypes.c_long(_MOUNT_SETATTR), *arguments), f"{path} read-only")


def _no_network() -> None:
    """Tried, not believed: no route and no address in here, and the host's own 127.0.0.1 is out of reach. Raises Refused."""
    for name in ("route", "if_inet6"):
        table = Path("/proc/net", name)
        if table.exists() and any("Destination" not in line for line in table.read_text().splitlines()):
            raise Refused(f"the network namespace is not empty: {table}")
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.settimeout(1)
            if tried.connect_ex((host, 9)) not in (errno.ENETUNREACH, errno.EADDRNOTAVAIL):
                raise Refused(f"{host} answers in the cage")


# ── the watch ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _watch(order: Order, page: str, result: int, leash: int) -> None:
    """Start the browser, let `camera` take the picture, and end it all when time or memory is used up or the worker is gone."""
    end = time.monotonic() + order.seconds

    def look() -> None:
        """Called by the camera whenever it waits. Raises camera.Stopped."""
        if time.monotonic() > end:
            raise camera.Stopped("TIMEOUT: wall clock")
        if select.select([leash], [], [], 0)[0]:
            raise camera.Stopped("CRASH: the worker is gone")
        if _held() > order.memory_bytes:
            raise camera.Stopped("RESOURCE_LIMIT: memory")
        with contextlib.suppress(ChildProcessError):  # reap what was orphaned
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    try:
        with _browser(order) as (reading, writing):
            answer = camera.Camera(reading, writing, look=look, every=_LOOK_SECONDS).take(
                "file://" + page, form=order.form, width=order.width, height_max=order.height_max, page=Path(page)
            )
    except camera.Stopped as why:
        _say(result, b"X" + str(why).encode()[:300])
        return
    _say(result, b"J")
    _say(result, answer)


@contextlib.contextmanager
def _browser(order: Order) -> Iterator[tuple[int, int]]:
    """(from it, to it) of a browser that is driven over two pipes, its descriptors 3 and 4: no port is opened, not even inside."""
    to_it, writing = os.pipe()
    reading, from_it = os.pipe()
    arguments = [order.program, *camera.FLAGS, *([] if order.sandbox else ["--no-sandbox"]), "about:blank"]
    pid = os.fork()
    if pid == 0:
        try:
            # Out of the way first: one end may itself be 3 or 4.
            high_in, high_out = (fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in (to_it, from_it))
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)
            os.closerange(5, 4096)
            _bound(order)
            environment = {"HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8", "TZ": "Asia/Shanghai"}  # noqa: S108
            os.execve(order.program, arguments, environment)  # noqa: S606  no shell is wanted
        finally:
            os._exit(127)
    os.close(to_it)
    os.close(from_it)
    try:
        yield reading, writing
    finally:
        if os.getpid() == 1:  # else -1 would mean the machine
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)


def _bound(order: Order) -> None:
    """Limits of each process of the browser. Not RLIMIT_AS: it reserves address space by the terabyte and uses none of it."""
    for kind, limit in (
        (resource.RLIMIT_DATA, order.memory_bytes),
        (resource.RLIMIT_CPU, int(order.seconds) + 1),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NPROC, PROCESSES),
        (resource.RLIMIT_NOFILE, 2048),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))
    os.nice(10)


def _held() -> int:
    """Bytes of memory that all processes in here hold of their own: anonymous pages and shared memory (once for each that maps it)."""
    total = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and entry.name != "1":
            with contextlib.suppress(OSError, ValueError):
                for line in Path("/proc", entry.name, "status").read_text().splitlines():
                    if line.startswith(("RssAnon:", "RssShmem:")):
                        total += int(line.split()[1]) << 10
    return total


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    said = [text.encode() or None for text in (source, target, kind)]
    _check(_libc.mount(*said, ctypes.c_ulong(flags), data.encode() or None), f"mount {kind or source} on {target}")


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise Refused(f"{what}: {errno.errorcode.get(number, number)} {os.strerror(number)}")


def _reason(fault: BaseException) -> bytes:
    text = str(fault) if isinstance(fault, Refused) else f"{type(fault).__name__}: {fault}"
    return text.encode(errors="replace")[:300]


def _say(fd: int, data: bytes) -> None:
    view = memoryview(data)
    with contextlib.suppress(BrokenPipeError):
        while view:
            view = view[os.write(fd, view) :]


if __name__ == "__main__":
    main(*sys.argv[1:])
