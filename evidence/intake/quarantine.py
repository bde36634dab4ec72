"""Between the last byte and the vault: is there a file at all, does the court take this kind, what should its sender know?

Almost everything is taken, and taken byte for byte. Article 14 of the Civil Evidence Rules lists computer programs among
electronic data, a torn recording may be the only one there is, and an archive with a password or a picture named wrongly
may be exactly what a certificate registered; sending any of them back would make a person alter evidence. They are
flagged instead. Refused are: the empty file, what is over the bounds, what the court's own policy names
(PORTAL_UPLOAD_REFUSED), and harmful software when the court has a scanner (PORTAL_CLAMD).
"""

import re
from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings

from . import kinds, names, scanning
from .sentences import Refused
from .structures import Flaw

HEIF = frozenset({"image/heic", "image/heif", "image/avif"})
FILM = frozenset({"video/quicktime"})
"""What a phone records by itself, and hands over as JPEG or MP4 when it was asked to be helpful."""
RECODING_NAMES = re.compile(
    r"(?:mmexport\d{10,}"  # WeChat, Android: saved from a chat
    r"|wx_camera_\d{10,}"  # WeChat's own camera
    r"|microMsg\.\d+"
    r"|(?:微信图片|微信视频|WeChat(?:Image|Video)?)[_\s]?\d{8,}.*"
    r"|(?:IMG|VID)-\d{8}-WA\d{4}"  # WhatsApp
    r"|tmp_[0-9a-f]{32,}"  # a mini-programme's temporary copy
    r"|IMG_\d{4}(?=\.jpeg\Z)"  # iOS writes .JPG itself; lower-case .jpeg is its conversion from HEIC
    r")(?:\(\d+\))?\.(?:jpe?g|png|mp4|mov)",
    re.IGNORECASE,
)
EXIF_WITHIN = 64 << 10
"""A camera's Exif segment is the first or second of the file."""
FLAW_NOTICES = {
    Flaw.TORN: "CONTENT_DAMAGED",
    Flaw.TRAILING: "CONTENT_TRAILING",
    Flaw.ENCRYPTED: "CONTENT_ENCRYPTED",
    Flaw.ALSO_ZIP: "ALSO_PARSES",
    Flaw.ALSO_PDF: "ALSO_PARSES",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something its sender should know of a file that was taken."""

    code: str
    values: dict[str, str]

    def as_json(self) -> dict[str, object]:
        return {"code": self.code, "values": self.values}


@dataclass(frozen=True, slots=True)
class Examined:
    media_type: str
    notices: tuple[Notice, ...]


def examine(file: BinaryIO, *, size: int, name: str, declared_type: str) -> Examined:
    """Look at a complete file. Raises Refused; never anything else because of what the file holds.

    file            seekable, of `size` bytes
    name            as kept (`names.label`)
    declared_type   the media type the browser told, "" if none
    """
    if size == 0:
        raise Refused("UPLOAD_EMPTY")
    found = kinds.recognise(file, size=size)
    if found.media_type in settings.PORTAL_UPLOAD_REFUSED:
        raise Refused("UPLOAD_TYPE")
    scanning.scan(file)
    file.seek(0)
    notices = _notices(found, file.read(EXIF_WITHIN), name, declared_type)
    return Examined(found.media_type, tuple({notice.code: notice for notice in notices}.values()))


def _notices(found: kinds.Recognised, head: bytes, name: str, declared_type: str) -> list[Notice]:
    noted = [Notice(FLAW_NOTICES[flaw], {}) for flaw in found.flaws]
    extension = names.extension(name)
    recoded = _recoded(found.media_type, head, name, extension, declared_type)
    if recoded:
        noted.append(Notice("RECODED_SUSPECTED", {}))
    promised = kinds.EXTENSIONS.get(extension)
    if promised and found.media_type not in promised and not recoded:
        noted.append(Notice("TYPE_MISMATCH", {"extension": extension}))
    if found.media_type in kinds.PROGRAMS:
        noted.append(Notice("PROGRAM", {}))
    if names.unusual(name):
        noted.append(Notice("NAME_UNUSUAL", {}))
    return noted


def _recoded(media_type: str, head: bytes, name: str, extension: str, declared_type: str) -> bool:
    """Announced as what a phone records, arrived as what it converts to; or named by a chat program, without camera data."""
    if media_type == "image/jpeg":
        if declared_type in HEIF or extension in {"heic", "heif"}:
            return True
        return RECODING_NAMES.fullmatch(name) is not None and b"Exif\0\0" not in head
    if media_type == "video/mp4":
        return declared_type in FILM or extension == "mov" or RECODING_NAMES.fullmatch(name) is not None
    return media_type == "image/png" and RECODING_NAMES.fullmatch(name) is not None
