"""The system calls a confined child may make: a list of what a parser needs; any other fails with EPERM.

An allow list, so that calls which do not exist yet are denied too. Written as classic BPF by hand: the
program is a page long, and a library for it would be one more thing to load from elsewhere. Arguments are
looked at where a number says too little: opening for writing, new processes, signals, limits.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Numbers from <asm/unistd_64.h> (x86-64) and <asm-generic/unistd.h> (AArch64, LoongArch); None: not there.
CALLS: Mapping[str, tuple[int | None, int | None]] = {
    # reading what is open already or what Landlock lets it open, writing to its pipe
    "read": (0, 63),
    "pread64": (17, 67),
    "readv": (19, 65),
    "preadv": (295, 69),
    "preadv2": (327, 286),
    "lseek": (8, 62),
    "fadvise64": (221, 223),
    "write": (1, 64),
    "writev": (20, 66),
    "close": (3, 57),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "stat": (4, None),
    "lstat": (6, None),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "statfs": (137, 43),
    "fstatfs": (138, 44),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    # its own memory and threads
    "mmap": (9, 222),
    "munmap": (11, 215),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "set_tid_address": (218, 96),
    "membarrier": (324, 283),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getcpu": (309, 168),
    # clocks, randomness, who it is
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "getrlimit": (97, 163),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "gettid": (186, 178),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    # its own signal handlers and its end
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "exit": (60, 93),
    "exit_group": (231, 94),
    # under conditions, see `program`
    "open": (2, None),
    "openat": (257, 56),
    "clone": (56, 220),
    "tgkill": (234, 131),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "prlimit64": (302, 261),
    # answered with ENOSYS: the C library then makes the older call, whose arguments a filter can read
    "clone3": (435, 435),
    "openat2": (437, 437),
}
_NOT_THERE = ("clone3", "openat2")

_CLONE_THREAD = 0x00010000
_CLONE_NEW_NAMESPACES = 0x7E020000
_FCNTL_COMMANDS = (0, 1, 2, 3, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
_IOCTLS = (0x5401, 0x5450, 0x5451)  # TCGETS (isatty), FIONCLEX, FIOCLEX

# <linux/filter.h>, <linux/seccomp.h>, <linux/prctl.h>
_LOAD, _IF_EQUAL, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM, _ENOSYS = 1, 38
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

Instruction = tuple[int, int, int, int]  # code, skip if true, skip if false, operand
_DENY: Instruction = (_RETURN, 0, 0, ERRNO | _EPERM)


@dataclass(frozen=True)
class Architecture:
    """AUDIT_ARCH_* of <linux/audit.h>, and which column of CALLS holds its numbers."""

    audit: int
    column: int


ARCHITECTURES = {
    "x86_64": Architecture(0xC000003E, 0),
    "aarch64": Architecture(0xC00000B7, 1),
    "loongarch64": Architecture(0xC0000102, 1),
}


def program(architecture: Architecture, *, pid: int) -> list[Instruction]:
    """The filter for process `pid`: classic BPF over struct seccomp_data (nr, arch, ip, six arguments)."""
    # O_DIRECTORY is part of O_TMPFILE and harmless by itself.
    make_file = os.O_CREAT | (os.O_TMPFILE & ~os.O_DIRECTORY)
    writing = os.O_WRONLY | os.O_RDWR | os.O_TRUNC | os.O_APPEND | make_file
    conditions = {
        "open": _no_bit_of(_argument(1), writing),
        "openat": _no_bit_of(_argument(2), writing),
        # threads, never processes or namespaces
        "clone": _a_bit_of(_argument(0), _CLONE_THREAD) + _no_bit_of(_argument(0), _CLONE_NEW_NAMESPACES),
        # abort(3) of its own; no signal to the worker, which may run as the same user
        "tgkill": _one_of(_argument(0), (pid,)),
        "fcntl": _one_of(_argument(1), _FCNTL_COMMANDS),
        "ioctl": _one_of(_argument(1), _IOCTLS),
        # reading limits only: no pointer to new ones
        "prlimit64": _one_of(_argument(2), (0,)) + _one_of(_argument(2) + 4, (0,)),
    }
    instructions: list[Instruction] = [
        (_LOAD, 0, 0, 4),  # arch: under another convention the numbers mean other calls
        (_IF_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, KILL_PROCESS),
        (_LOAD, 0, 0, 0),  # nr; the numbers of x86-64's x32 have bit 30 set and so equal none of ours
    ]
    for call, numbers in CALLS.items():
        number = numbers[architecture.column]
        if number is not None:
            verdict = ERRNO | _ENOSYS if call in _NOT_THERE else ALLOW
            body = [*conditions.get(call, []), (_RETURN, 0, 0, verdict)]
            instructions += [(_IF_EQUAL, 0, len(body), number), *body]
    return [*instructions, _DENY]


def install() -> None:
    """Put the filter over this process for good. Needs NO_NEW_PRIVS. Raises OSError."""
    try:
        architecture = ARCHITECTURES[platform.machine()]
    except KeyError as error:
        raise OSError(f"no table of system calls for {platform.machine()}") from error
    instructions = program(architecture, pid=os.getpid())
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)
    nothing = ctypes.c_ulong(0)
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), header, nothing, nothing):
        raise OSError(ctypes.get_errno(), "seccomp filter refused")


def _argument(index: int) -> int:
    """Offset of an argument's low half in struct seccomp_data (little-endian on all three architectures)."""
    return 16 + 8 * index


def _one_of(offset: int, values: Sequence[int]) -> list[Instruction]:
    tests = [(_IF_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [(_LOAD, 0, 0, offset), *tests, _DENY]


def _no_bit_of(offset: int, mask: int) -> list[Instruction]:
    return [(_LOAD, 0, 0, offset), (_IF_ANY_BIT, 0, 1, mask), _DENY]


def _a_bit_of(offset: int, mask: int) -> list[Instruction]:
    return [(_LOAD, 0, 0, offset), (_IF_ANY_BIT, 1, 0, mask), _DENY]
