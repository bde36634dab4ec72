"""Step S of a XuperChain transaction: who signed it (spec §8 step 2; xupercore `verifySignatures`).

`initiator` and each entry of `auth_require` name an address, or an account with an address behind a slash; each has a signature
over the transaction's digest, by the key whose address it is. The signatures stand under the transaction's id, so that they are
those with which it was recorded.
"""

from collections.abc import Iterator

from ..codecs.protobuf import Message
from ..reasons import Reason
from ..verdict import Finding, Outcome, failed, indeterminate, passed
from .ladder import SENDER
from .xuperchain_hashing import Hashed
from .xuperchain_keys import is_address_of, public_key, signed
from .xuperchain_messages import Transaction

SIGNATURES_MAX = 1024
"""Signatures of one transaction that are checked."""
NAMES_SHOWN = 4


def sender(t: Transaction | None, hashed: Hashed | None, x: Finding, subject: str) -> Finding:
    if t is None:
        return indeterminate(SENDER, Reason.PROOF_NOT_SUPPLIED, subject)
    if hashed is None or x.outcome is not Outcome.PASSED:
        reason = Reason.TX_INCOMPLETE if x.reason in (None, Reason.HASH_FAILURE) else x.reason
        return indeterminate(SENDER, reason or Reason.TX_INCOMPLETE, subject)
    body = t.body
    if body.has("xuper_sign"):
        # One signature by many keys (multi- or ring signature): nothing here can check it.
        return indeterminate(SENDER, Reason.UNSUPPORTED_FORMAT, subject, actual="xuper_sign")
    initiator, required = body.text("initiator"), body.texts("auth_require")
    by_initiator, by_required = body.messages("initiator_signs"), body.messages("auth_require_signs")
    if not by_initiator and not by_required:
        return indeterminate(SENDER, Reason.NO_SIGNING_CERTIFICATE_FOUND, subject, actual=initiator[:64] or None)
    if len(by_initiator) + len(by_required) > SIGNATURES_MAX:
        return indeterminate(SENDER, Reason.RESOURCE_LIMIT, subject)
    if len(required) != len(by_required):
        actual = f"{len(by_required)} signatures"
        return failed(SENDER, Reason.SIG_CRYPTO_FAILURE, subject, expected=f"{len(required)} auth_require", actual=actual)
    account = _is_account(initiator)
    signers = [("" if account else initiator, s) for s in by_initiator]
    signers += [(name.rsplit("/", 1)[-1], s) for name, s in zip(required, by_required, strict=True)]
    faults = list(_faults(signers, hashed.digest, subject))
    if faults:
        return next((f for f in faults if f.outcome is Outcome.FAILED), faults[0])
    names = [initiator, *(n for n in required if n != initiator)]
    shown = ", ".join(n[:64] for n in names[:NAMES_SHOWN]) + (f" +{len(names) - NAMES_SHOWN}" if len(names) > NAMES_SHOWN else "")
    if account or not by_initiator:
        # Which keys may act for an account stands in the state of the chain, not in the transaction.
        return indeterminate(SENDER, Reason.NO_CERTIFICATE_CHAIN_FOUND, subject, actual=shown)
    return passed(SENDER, subject, actual=shown)


def _faults(signers: list[tuple[str, Message]], digest: bytes, subject: str) -> Iterator[Finding]:
    """`signers`: (the address that the key must have, "" for any; the signature)."""
    for address, signature in signers:
        key = public_key(signature.text("PublicKey"))
        if key is None:
            yield indeterminate(SENDER, Reason.UNSUPPORTED_FORMAT, subject, actual=signature.text("PublicKey")[:64])
        elif address and not is_address_of(address, key):
            yield failed(SENDER, Reason.HASH_FAILURE, subject, expected=address[:64], actual="PublicKey")
        elif not signed(key, signature.data("Sign"), digest):
            yield failed(SENDER, Reason.SIG_CRYPTO_FAILURE, subject, expected=address[:64] or None)


def _is_account(name: str) -> bool:
    """`XC` and 16 digits, an at sign and the chain's name; an address has no at sign."""
    return "@" in name
