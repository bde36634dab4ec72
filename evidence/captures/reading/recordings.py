"""Films and sound, by what they begin with: named with size and digest, never played. Their decoders are larger than all of ours."""

from __future__ import annotations

NOT_SHOWN = "RECORDING_NOT_SHOWN"

_CONTAINERS = (
    (0, b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-wmv"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (0, b"OggS", "video/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"#!AMR", "audio/amr"),
    (8, b"AVI ", "video/x-msvideo"),
    (8, b"WAVE", "audio/wav"),
)
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free")
_PACKETS = ((0, 188), (4, 192))
"""(first byte, distance) of MPEG transport packets; cameras (.MTS) write four bytes of time before each."""


def kind_of(head: bytes) -> str | None:
    """The media type of a film or sound from its first 1,024 bytes, or None."""
    for at, mark, kind in _CONTAINERS:
        if head.startswith(mark, at) and (at == 0 or head.startswith(b"RIFF")):
            return kind
    if head[4:8] in _BOXES:
        return "video/quicktime" if head[4:8] != b"ftyp" or head[8:10] == b"qt" else "video/mp4"
    for start, step in _PACKETS:
        if len(head) > start + 4 * step and all(head[start + n * step] == 0x47 for n in range(5)):
            return "video/mp2t"
    return None
