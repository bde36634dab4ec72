"""A good exhibit to be attacked: a page on a ChainMaker chain, in a trust store that knows a FISCO chain as well."""

import hashlib
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from evidence.verification import Exhibit, Source, TrustStore, Verdict, verify
from evidence.verification.reasons import Reason
from tests.evidence.verification import chainmaker_exhibits as cm
from tests.evidence.verification import fisco3_exhibits as fisco
from tests.evidence.verification.chainmaker_exhibits import built, files

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RECORDED = "2026-01-01T08:00:05+08:00"
"""Within seconds of the demonstration block."""
CONFESSION = b"I, the defendant, owe the plaintiff five million.\n"


@cache
def store() -> TrustStore:
    return cm.trust(
        built(), others={"fisco": {"profile": fisco.built().profile, "validators": fisco.built().validators}}
    )


def examine(given: dict[str, bytes], trusted: TrustStore | None = None, at: datetime = AT) -> Verdict:
    exhibit = Exhibit.of(Source.from_bytes(name, data) for name, data in given.items())
    try:
        return verify(exhibit, trusted or store(), at)
    finally:
        exhibit.close()


def good(**more: bytes) -> dict[str, bytes]:
    """A page that CONSISTENTly lies on a chain, and whatever the test puts beside it (`x_json` for x.json)."""
    return files(built(), **{name.replace("_", "."): data for name, data in more.items()})


def certificate(**members: Any) -> bytes:
    return json.dumps(members, ensure_ascii=False).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sm3(data: bytes) -> str:
    return hashlib.new("sm3", data).hexdigest()


def fisco_files(index: int) -> dict[str, bytes]:
    return {f"fisco {name}": data for name, data in fisco.built().files(index).items()}


def refusals(verdict: Verdict) -> list[tuple[str, Reason | None]]:
    return [(f.check, f.reason) for f in verdict.findings if f.outcome.value == "FAILED"]
