"""SM2 by the system's OpenSSL (libcrypto 3), where there is one: seven times as fast as `sm2` in Python.

Only the arithmetic of GM/T 0003.2-2012 §7.1 B5 to B7 is asked of it, over a digest that is ready and numbers that have been
checked, so that both ways answer alike: which library a machine has must not show in a verdict. The library is used only when it
gives the answers of GM/T 0003.5-2012, right and wrong; any doubt means Python's own. `cryptography` offers no SM2.
"""

import ctypes
from functools import cache

LIBRARY = "libcrypto.so.3"

_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200") + b"\x04"
"""SubjectPublicKeyInfo of a point on sm2p256v1 (RFC 5480 §2, OID 1.2.156.10197.1.301), up to the 64 bytes of the point."""


def verify_digest(public_key: bytes, r: int, s: int, e: bytes) -> bool | None:
    """`sm2.verify_digest` for a point on the curve, 0 < r, s < n and 32 bytes of digest; None: there is no such library here."""
    library = _library()
    return None if library is None else _verify(library, public_key, r, s, e)


def _verify(library: ctypes.CDLL, public_key: bytes, r: int, s: int, e: bytes) -> bool:
    encoded = _SPKI + public_key
    start = ctypes.c_char_p(encoded)
    key = library.d2i_PUBKEY(None, ctypes.byref(start), len(encoded))
    if not key:
        return False
    context = library.EVP_PKEY_CTX_new(key, None)
    try:
        signature = _der(r, s)
        # 1 is "verified"; 0 and negative numbers are refusals and faults, which leave entries in a queue of this thread.
        ready = bool(context) and library.EVP_PKEY_verify_init(context) == 1
        return ready and library.EVP_PKEY_verify(context, signature, len(signature), e, len(e)) == 1
    finally:
        library.ERR_clear_error()
        library.EVP_PKEY_CTX_free(context)
        library.EVP_PKEY_free(key)


def _der(r: int, s: int) -> bytes:
    """SEQUENCE { INTEGER r, INTEGER s }; numbers below 2^256 need no long lengths."""
    numbers = b"".join(
        bytes((2, len(body))) + body for n in (r, s) for body in [n.to_bytes(n.bit_length() // 8 + 1)]
    )
    return bytes((0x30, len(numbers))) + numbers


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(LIBRARY)
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        for name, result, arguments in (
            ("d2i_PUBKEY", pointer, (pointer, pointer, ctypes.c_long)),
            ("EVP_PKEY_CTX_new", pointer, (pointer, pointer)),
            ("EVP_PKEY_verify_init", ctypes.c_int, (pointer,)),
            ("EVP_PKEY_verify", ctypes.c_int, (pointer, ctypes.c_char_p, size, ctypes.c_char_p, size)),
            ("EVP_PKEY_CTX_free", None, (pointer,)),
            ("EVP_PKEY_free", None, (pointer,)),
            ("ERR_clear_error", None, ()),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        return None  # no OpenSSL 3 for the loader to find: Python's own arithmetic serves
    return library if _agrees(library) else None


_KEY = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_E = bytes.fromhex("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640")
_R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
_S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
"""GM/T 0003.5-2012 Annex A."""


def _agrees(library: ctypes.CDLL) -> bool:
    """Builds without SM2 exist, and so do builds that hash what they are given once more."""
    cases = ((_R, _S, _E, True), (_R, _S ^ 1, _E, False), (_S, _R, _E, False), (_R, _S, _E[::-1], False), (1, 1, _E, False))
    return all(_verify(library, _KEY, r, s, e) is expected for r, s, e, expected in cases)
