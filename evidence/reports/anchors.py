"""What the court trusts when it judges its own reports: public files in one directory, read once for each check.

    roots/*.pem          roots of e-seals, persons and time-stamps      crls/*.crl    revocation lists (DER)
    seals/*.pem          the certificates of the court's e-seals, present and former
    people-certs/*.pem   the personal certificates of the court's staff, present and former

Certificates, lists and answers are DER throughout, as the engine's rooms for keys take them, so that SM2 is like any other.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Anchors:
    """`roots`, `lists`: as of now. `seals`, `persons`: DER of the certificates that are the court's own."""

    roots: tuple[bytes, ...]
    lists: tuple[bytes, ...]
    seals: frozenset[bytes]
    persons: frozenset[bytes]


def read(directory: Path) -> Anchors:
    """OSError, ValueError when a file cannot be read as what its name says."""
    return Anchors(
        roots=tuple(c.dump() for c in certificates(*sorted((directory / "roots").glob("*.pem")))),
        lists=tuple(file.read_bytes() for file in sorted((directory / "crls").glob("*.crl"))),
        seals=frozenset(c.dump() for c in certificates(*(directory / "seals").glob("*.pem"))),
        persons=frozenset(c.dump() for c in certificates(*(directory / "people-certs").glob("*.pem"))),
    )


def certificates(*files: Path) -> list[Any]:
    """asn1crypto's certificates from files that hold one or several each, PEM or DER."""
    from pyhanko import keys

    load: Any = keys.load_certs_from_pemder
    return list(load([str(file) for file in files]))
