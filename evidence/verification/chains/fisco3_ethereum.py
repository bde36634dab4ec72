"""Ethereum transactions on a FISCO BCOS 3 chain (type ≥ 1): their leaf is the Keccak-256 of the bytes that were submitted (spec §6 step 2).

The node's answer does not carry those bytes; a proof package may (`raw_tx`). Read from source code, not confirmed on real data: the node
that takes the transaction writes the hash beside fields of its own, which are the ones that are run, and other nodes did not compute it
again in every version. So what the bytes say is held against what the node prints, and a record counts only by an event of the contract.
"""

from dataclasses import replace

from ..codecs.text import CodecError
from ..reasons import Reason
from ..verdict import Finding, failed, indeterminate, passed
from . import ethereum_transaction, ladder
from .claimed import Claimed
from .ethereum_transaction import SignedTransaction, UnsupportedEnvelope
from .fisco3_hashing import NODE_PREIMAGES, Matched
from .fisco3_records import Transaction
from .node_json import address

NOTE = "ETHEREUM_UNCONFIRMED"


def submitted(t: Transaction, claimed: Claimed) -> tuple[Transaction, Matched | None]:
    """The transaction with receiver and call data of the submitted bytes, once these are the ones it is called by."""
    signed = _read(claimed) if t.ethereum else None
    if not isinstance(signed, SignedTransaction) or claimed.raw_tx is None or _unlike(t, signed):
        return t, None
    to = "0x" + signed.to.hex() if signed.to else ""
    ambiguous = len(claimed.raw_tx) in NODE_PREIMAGES
    return replace(t, to=to, input=signed.data, missing=()), Matched(signed.hash, "", ambiguous)


def transaction(t: Transaction, claimed: Claimed, subject: str) -> Finding:
    """Step X."""
    check = ladder.TRANSACTION
    signed = _read(claimed)
    if signed is None or t.hash is None:
        return indeterminate(check, Reason.TX_INCOMPLETE, subject, notes=("ETHEREUM_TRANSACTION",))
    if isinstance(signed, UnsupportedEnvelope):
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, actual=str(signed), notes=(NOTE,))
    if isinstance(signed, CodecError):
        return failed(check, Reason.FORMAT_FAILURE, subject, actual=f"raw_tx: {signed}", notes=(NOTE,))
    unlike = _unlike(t, signed)
    if unlike:
        actual = f"{unlike}: {signed.hash.hex()}"
        return failed(check, Reason.HASH_FAILURE, subject, expected=t.hash.hex(), actual=actual, notes=(NOTE,))
    if claimed.raw_tx is not None and len(claimed.raw_tx) in NODE_PREIMAGES:
        return indeterminate(check, Reason.AMBIGUOUS_PREIMAGE, subject, actual=signed.hash.hex(), notes=(NOTE,))
    return passed(check, subject, expected=t.hash.hex(), actual=signed.hash.hex(), notes=(NOTE,))


def sender(t: Transaction, claimed: Claimed, subject: str) -> Finding:
    """Step S, of a transaction whose bytes are the ones it is called by."""
    check = ladder.SENDER
    signed = _read(claimed)
    if not isinstance(signed, SignedTransaction) or signed.sender is None:
        return failed(check, Reason.SIG_CRYPTO_FAILURE, subject)
    expected = "0x" + signed.sender.hex()
    if t.sender is None:
        return indeterminate(check, Reason.NO_SIGNING_CERTIFICATE_FOUND, subject, expected=expected)
    if t.sender != signed.sender:
        return failed(check, Reason.HASH_FAILURE, subject, expected=expected, actual="0x" + t.sender.hex())
    return passed(check, subject, expected=expected, actual=expected)


def _read(claimed: Claimed) -> SignedTransaction | CodecError | None:
    if claimed.raw_tx is None:
        return None
    try:
        return ethereum_transaction.read(claimed.raw_tx)
    except CodecError as fault:
        return fault


def _unlike(t: Transaction, signed: SignedTransaction) -> str:
    """What the node prints must be what was submitted. "" when it is."""
    if t.hash != signed.hash:
        return "hash"
    if t.to is not None and address(t.to) != ("0x" + signed.to.hex() if signed.to else ""):
        return "to"
    return "input" if t.input is not None and t.input != signed.data else ""
