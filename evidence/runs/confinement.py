"""The locks of the jail: what a process gives up, irrevocably, before it looks at a party's bytes.

Unprivileged throughout, and through ctypes, so that no library stands between us and the kernel's own words
(prctl(2), capset(2), landlock(7); the system call filter is `seccomp`). Every function either succeeds or
raises OSError: a half-locked process must never read evidence.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
from collections.abc import Iterable
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)

# <linux/prctl.h>, <linux/sched.h>
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_CAPSET = {"x86_64": 126}  # 91 wherever the kernel numbers its calls generically

NOFILE = 128  # an exhibit holds up to 50 files; the trust store and late imports open a few more


def _check(result: int, what: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), what)
    return result


def _prctl(option: int, argument: int, what: str) -> None:
    rest = [ctypes.c_ulong(0)] * 3
    _check(_libc.prctl(ctypes.c_int(option), ctypes.c_ulong(argument), *rest), what)


def _syscall(number: int, *arguments: object) -> int:
    return int(_libc.syscall(ctypes.c_long(number), *arguments))


def die_with(parent: int) -> None:
    """SIGKILL for this process as soon as `parent`, which forked it, ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, "PDEATHSIG")
    if os.getppid() != parent:
        raise ProcessLookupError("the parent died first")


def limit_resources(*, memory_bytes: int, cpu_seconds: int) -> None:
    """Memory, processor time, no file growth at all, few descriptors, no core dump."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write then fails with EFBIG instead of killing
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    for kind, soft, hard in (
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        # SIGXCPU at the soft limit can be caught; the SIGKILL a second later cannot.
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, NOFILE, NOFILE),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        try:
            resource.setrlimit(kind, (soft, hard))
        except ValueError as error:
            raise OSError(f"setrlimit {kind}: {error}") from error
    _prctl(_PR_SET_DUMPABLE, 0, "DUMPABLE")


def drop_privileges() -> None:
    """No capability, now or through a later exec: a worker run as root keeps only root's file ownership."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, "NO_NEW_PRIVS")
    header = struct.pack("=Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    nothing = bytes(24)  # two words each of effective, permitted, inheritable
    _check(_syscall(_CAPSET.get(platform.machine(), 91), header, nothing), "capset")


def leave_network() -> bool:
    """Move to an empty network namespace; False where the kernel or its policy does not permit it.

    An extra: seccomp and Landlock deny sockets anyway. A normal user needs a user namespace for it as well.
    """
    return any(_libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))


# Landlock: the file system, and TCP, signals and abstract sockets where the kernel knows them. Its calls have
# the same numbers everywhere.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULESET_VERSION, _RULE_PATH_BENEATH = ctypes.c_uint32(1), ctypes.c_int(1)
_NO_FLAGS = ctypes.c_uint32(0)
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# <linux/landlock.h>: what the kernel can deny, by the ABI that brought it. All of it is handled, hence denied
# unless a rule allows it; asking an older kernel for a newer right is an error, hence the tables.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_NET_RIGHTS = {4: 0b11}  # bind and connect TCP
_SCOPES = {6: 0b11}  # abstract UNIX sockets, signals


def landlock_abi() -> int:
    """The Landlock ABI of this kernel; 0 when it has none or it is switched off."""
    return max(0, _syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _RULESET_VERSION))


def read_only(readable: Iterable[Path]) -> None:
    """From now on only what lies beneath `readable` can be opened, only to read. Absent paths are skipped."""
    abi = landlock_abi()
    if not abi:
        raise OSError("Landlock is not available in this kernel")
    tables = (_FILE_RIGHTS, _NET_RIGHTS, _SCOPES)
    attributes = struct.pack("=QQQ", *(sum(b for since, b in t.items() if since <= abi) for t in tables))
    ruleset = _check(
        _syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), _NO_FLAGS), "Landlock ruleset"
    )
    try:
        for path in readable:
            _allow_reading(ruleset, path)
        _check(_syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), _NO_FLAGS), "Landlock restriction")
    finally:
        os.close(ruleset)


def _allow_reading(ruleset: int, path: Path) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        rule = struct.pack("=Qi", _READ_FILE | (_READ_DIR if path.is_dir() else 0), fd)
        added = _syscall(_ADD_RULE, ctypes.c_int(ruleset), _RULE_PATH_BENEATH, rule, _NO_FLAGS)
        _check(added, f"Landlock rule for {path}")
    finally:
        os.close(fd)
