"""Is the certificate of a WACZ's signer in the transparency logs that the court has pinned? (WAUTH-09; spec snapshots §6.)

A log's promise inside the certificate shows that it was issued in the open, at a time the log states. It is asked for by nobody here:
whatever the answer, the verdict stands on the path to a pinned root.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ..codecs.text import CodecError
from ..reasons import Reason
from ..trust import TrustStore
from ..verdict import Bearing, Finding, failed, indeterminate, instant, passed

LOGS = "WAUTH.LOGS"
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT_MAX = 253_402_300_799_999
"""The last millisecond of the year 9999."""


def finding(leaf: Any, authorities: Sequence[bytes], subject: str, trust: TrustStore) -> Finding | None:
    """None when the certificate carries no promise of a log. `authorities` (DER): those who may have issued it."""
    from ..keys import sct

    try:
        found = sct.promises(leaf) if leaf is not None else None
    except CodecError:
        return failed(LOGS, Reason.FORMAT_FAILURE, subject, bearing=Bearing.ADVISORY)
    if found is None:
        return None
    unknown = tuple(f"CT_LOG_NOT_PINNED:{p.log.hex()}" for p in found[:5] if p.log not in trust.ct_logs)
    if not any(p.log in trust.ct_logs for p in found):
        return indeterminate(LOGS, Reason.ANCHOR_UNTRUSTED, subject, notes=unknown, bearing=Bearing.ADVISORY)
    issuer = next(sct.issuers(leaf, authorities), None)
    if issuer is None:
        # What the log signed names the authority's key, which nobody has handed in.
        return indeterminate(LOGS, Reason.NO_CERTIFICATE_CHAIN_FOUND, subject, notes=unknown, bearing=Bearing.ADVISORY)
    judged = sct.judge(leaf, found, issuer, trust.ct_logs)
    total = str(judged.held + judged.broken)
    if judged.broken:
        return failed(
            LOGS,
            Reason.SIG_CRYPTO_FAILURE,
            subject,
            expected=total,
            actual=str(judged.held),
            notes=unknown,
            bearing=Bearing.ADVISORY,
        )
    first = min(judged.first or 0, _MOMENT_MAX)
    logged = f"CT_LOGGED_AT:{instant(_BEGIN + timedelta(milliseconds=first))}"
    return passed(LOGS, subject, expected=total, actual=total, notes=(logged, *unknown), bearing=Bearing.ADVISORY)
