"""One SM2 signature: the engine, its two ways of arithmetic, OpenSSL itself, and the implementations on PyPI. Not a test.

Goal: within twice OpenSSL's own time where it is there, and 2 ms in pure Python.
"""

import importlib.util
import re
import shutil
import subprocess
import time
from collections.abc import Callable

import gmalg

from evidence.verification.keys import sm2, sm2_openssl

REPEATS = 50
MESSAGE = b"a header"


def measure() -> list[str]:
    secret = bytes(31) + b"\x07"
    public = gmalg.SM2(secret).generate_pk(secret)
    signature = b"".join(gmalg.SM2(secret, sm2.DEFAULT_UID, public).sign(MESSAGE))
    key, digest = public[-64:], MESSAGE
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    point, e, library = sm2._point(key), sm2.message_digest(key, digest), sm2_openssl._library()
    if point is None:
        raise SystemExit("the key is no point")
    ways: dict[str, Callable[[], bool]] = {"engine": lambda: sm2.verify(key, (r, s), digest)}
    ways["pure Python"] = lambda: sm2._holds(point, r, s, e)
    if library is not None:
        ways["libcrypto by ctypes"] = lambda: sm2_openssl._verify(library, key, r, s, e)
    if importlib.util.find_spec("gmssl"):
        from gmssl import sm2 as other

        peer = other.CryptSM2(private_key="", public_key=key.hex())
        ways["gmssl"] = lambda: bool(peer.verify(signature[:64].hex(), e))
    else:
        ways["gmalg"] = lambda: bool(gmalg.SM2(pk=b"\x04" + key, uid=sm2.DEFAULT_UID).verify(digest, signature[:32], signature[32:64]))
    for name, way in ways.items():
        if way() is not True:
            raise SystemExit(f"{name} refuses the signature")
    times = ", ".join(f"{name} {best(way):.2f} ms" for name, way in ways.items())
    return [f"one SM2 signature: {times}", f"OpenSSL's own: {openssl_speed()}"]


def best(run: Callable[[], object]) -> float:
    """Milliseconds of the fastest of some runs."""
    fastest = float("inf")
    for _ in range(REPEATS):
        begun = time.perf_counter()
        run()
        fastest = min(fastest, time.perf_counter() - begun)
    return fastest * 1000


def openssl_speed() -> str:
    """What `openssl speed` says of SM2 on this machine at this moment."""
    if shutil.which("openssl") is None:
        return "not installed"
    command = ["openssl", "speed", "-mr", "-seconds", "1", "sm2"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"^\+F\d+:\d+:256:\w+:[\d.]+:([\d.]+)", said, re.MULTILINE)
    return f"{1000 / float(found[1]):.2f} ms" if found else "not told"
