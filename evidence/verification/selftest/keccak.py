"""Known answer of Keccak-256: the empty string (Ethereum yellow paper, appendix on constants)."""

from collections.abc import Callable


def _empty() -> bool:
    from .. import digests

    expected = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    return digests.digest("KECCAK-256", b"").hex() == expected


FORMATS = ("fisco2", "fisco3", "proof-package")

CASES: dict[str, Callable[[], bool]] = {"Keccak-256 of nothing": _empty}
