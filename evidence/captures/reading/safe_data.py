"""`data:` addresses (RFC 2397), in which a page carries its own pictures and sheets."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes


def read(address: str) -> tuple[bytes, str] | None:
    """(bytes, media type) or None where it is not such an address."""
    head, comma, body = address[5:].partition(",")
    if not comma or len(head) > 300:
        return None
    told, coded = head.strip(), False
    if told.lower().replace(" ", "").endswith(";base64"):
        told, coded = told[: told.rindex(";")], True
    data = unquote_to_bytes(body)
    if not coded:
        return data, told or "text/plain"
    data = b"".join(data.split())
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4), validate=True), told
    except binascii.Error:
        return None
