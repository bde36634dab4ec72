"""Known answers of the file digests and the strict JSON reader, on which everything stands.

Sources: FIPS 180-4, FIPS 202 and GB/T 32905 (digest examples), RFC 8259 (what strict JSON refuses).
"""

from collections.abc import Callable


def _digest(algorithm: str, message: bytes, expected: str) -> Callable[[], bool]:
    def case() -> bool:
        from .. import digests

        return digests.digest(algorithm, message).hex() == expected

    return case


def _refused(data: bytes) -> Callable[[], bool]:
    def case() -> bool:
        from ..codecs import strict_json

        try:
            strict_json.loads(data)
        except strict_json.JsonError:
            return True
        return False

    return case


FORMATS: tuple[str, ...] | None = None
"""None: no format can be examined when one of these fails."""

CASES: dict[str, Callable[[], bool]] = {
    "SHA-256 of abc": _digest(
        "SHA-256", b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    ),
    "SHA3-256 of abc": _digest(
        "SHA3-256", b"abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"
    ),
    "SM3 of abc": _digest("SM3", b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
    "JSON with a name twice": _refused(b'{"a":1,"a":1}'),
    "JSON with NaN": _refused(b"[NaN]"),
    "JSON too deep": _refused(b"[" * 100 + b"]" * 100),
}
