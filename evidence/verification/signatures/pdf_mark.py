"""Whether a file is a PDF, and a signed one: a look that costs nothing to files of other kinds."""

from ..exhibit import Source

FILE_BYTES_MAX = 64 << 20
"""A certificate has under 5 MB, a notarial deed with pictures up to 40."""
HEAD = 1024
"""The header stands within the first kilobyte (ISO 32000-2 annex I.2.2)."""
RANGE = b"/ByteRange"


def is_pdf(source: Source) -> bool:
    return b"%PDF-" in source.head(HEAD)


def is_signed(source: Source) -> bool:
    """Whether a signature's range is written somewhere in the file. It cannot be compressed: it stands around its own gap."""
    end = b""
    with source.open() as stream:
        while block := stream.read(1 << 20):
            if RANGE in block or RANGE in end + block[: len(RANGE)]:
                return True
            end = block[-len(RANGE) :]
    return False
