"""The court's virus scanner, if it has one: clamd's INSTREAM over its socket (PORTAL_CLAMD=/run/clamd.sock or host:port).

A scanner that is named but does not answer refuses the file for now: a check the court ordered is never skipped in silence.
Without one nothing is scanned; files are never opened here anyway, and leave the court as attachments only.
"""

import socket
import struct
from typing import BinaryIO

from django.conf import settings

from .sentences import Refused

CHUNK = 256 << 10
SECONDS_MAX = 60
"""Between two signs of life of the scanner."""
ANSWER_MAX = 4096


def scan(file: BinaryIO) -> None:
    """Raises Refused: UPLOAD_VIRUS, or UPLOAD_UNCHECKED when the scanner gives no plain answer."""
    if not settings.PORTAL_CLAMD:
        return
    try:
        answer = _instream(file)
    except OSError as fault:
        raise Refused("UPLOAD_UNCHECKED") from fault
    if answer.endswith(b"FOUND"):
        raise Refused("UPLOAD_VIRUS")
    if answer != b"stream: OK":
        raise Refused("UPLOAD_UNCHECKED")


def _instream(file: BinaryIO) -> bytes:
    """clamd(8): zINSTREAM, chunks with a four-byte length, a zero length, and one answer ending in a zero byte."""
    with _connected() as clamd:
        clamd.sendall(b"zINSTREAM\0")
        file.seek(0)
        while chunk := file.read(CHUNK):
            clamd.sendall(struct.pack("!I", len(chunk)) + chunk)
        clamd.sendall(struct.pack("!I", 0))
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < ANSWER_MAX and (more := clamd.recv(ANSWER_MAX)):
            answer += more
    return answer.rstrip(b"\0").strip()


def _connected() -> socket.socket:
    address = settings.PORTAL_CLAMD
    if address.startswith("/"):
        clamd = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        clamd.settimeout(SECONDS_MAX)
        clamd.connect(address)
        return clamd
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=SECONDS_MAX)
