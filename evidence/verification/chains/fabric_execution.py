"""Hyperledger Fabric, rung E and the endorsements: did the recording take effect? (spec §7 step 7)

Nobody signs that. Peers decide after ordering which transactions of a block are valid and write it beside the block
(TRANSACTIONS_FILTER); whoever hands the block in can write it too. Two peers that agree are the only evidence of it, or running
the endorsement policies and the whole state again. So the court must choose what ordering alone is worth (`execution_basis`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..codecs import protobuf
from ..codecs.protobuf import ProtobufError
from ..reasons import Reason
from ..trust import ChainProfile
from ..verdict import Finding, Outcome, failed, indeterminate, passed
from . import fabric_messages as messages
from .fabric_block import Block
from .fabric_identity import Identity, Msp, serialized, signed, standing
from .fabric_transaction import SUCCESS, Transaction, places
from .ladder import EXECUTION

ENDORSEMENT = "FABRIC.ENDORSEMENT"
PEER = "peer"
VALID, NOT_VALIDATED = 0, 254
"""`TxValidationCode`; any other is a refusal."""
ENDORSEMENTS_MAX = 1024
NAMES_MAX = 8
CODES = {
    2: "BAD_COMMON_HEADER", 3: "BAD_CREATOR_SIGNATURE", 4: "INVALID_ENDORSER_TRANSACTION", 9: "DUPLICATE_TXID",
    10: "ENDORSEMENT_POLICY_FAILURE", 11: "MVCC_READ_CONFLICT", 12: "PHANTOM_READ_CONFLICT", 255: "INVALID_OTHER_REASON",
}  # fmt: skip
"""The names people meet; the others are told by number."""


@dataclass(frozen=True, slots=True)
class Endorsed:
    """`finding`: None where there is no transaction."""

    finding: Finding | None

    @property
    def reason(self) -> Reason | None:
        return self.finding.reason if self.finding else None


def endorsements(transaction: Transaction | None, members: Sequence[Msp], subject: str) -> Endorsed:
    """Each endorser's signature over response ‖ endorser, and whether the court knows the endorser's organisation.

    Each identity counts once. Whether these organisations are enough is for the chaincode's policy, which is not evaluated.
    """
    if transaction is None:
        return Endorsed(None)
    given = transaction.endorsements
    if not given:
        return Endorsed(indeterminate(ENDORSEMENT, Reason.PROOF_NOT_SUPPLIED, subject))
    if len(given) > ENDORSEMENTS_MAX:
        return Endorsed(indeterminate(ENDORSEMENT, Reason.RESOURCE_LIMIT, subject, actual=str(len(given))))
    signers: dict[bytes, Identity] = {}
    for item in given:
        who = serialized(item.endorser)
        if who is None:
            return Endorsed(indeterminate(ENDORSEMENT, Reason.NO_SIGNING_CERTIFICATE_FOUND, subject))
        if who.curve is None:
            return Endorsed(indeterminate(ENDORSEMENT, Reason.UNSUPPORTED_FORMAT, subject, actual=who.label))
        if not signed(who, item.signature, item.message):
            return Endorsed(failed(ENDORSEMENT, Reason.SIG_CRYPTO_FAILURE, subject, actual=who.label))
        signers[who.point] = who
    names = [w.label for w in signers.values()]
    shown = f"{len(names)}: {', '.join(names[:NAMES_MAX])}"
    for who in signers.values():
        found = standing(who, tuple(members), PEER)
        if found.reason is not None:
            actual = f"{shown}; {who.label} {found.problem or ''}".strip()[:400]
            return Endorsed(indeterminate(ENDORSEMENT, found.reason, subject, actual=actual))
    return Endorsed(passed(ENDORSEMENT, subject, actual=shown[:400], notes=("POLICY_NOT_EVALUATED",)))


def execution(
    block: Block,
    index: int | None,
    transaction: Transaction | None,
    *,
    endorsed: Endorsed,
    members_known: bool,
    profile: ChainProfile | None,
    peers: Sequence[tuple[str, bytes]],
    repeated: bool,
    subject: str,
) -> Finding:
    """Rung E.

    members_known   the court knows roots of organisations that endorse
    repeated        an earlier transaction of the channel has the same id: peers take none but the first
    """

    def open_(reason: Reason, actual: str | None = None, notes: tuple[str, ...] = ()) -> Finding:
        return indeterminate(EXECUTION, reason, subject, actual=actual, notes=notes)

    if transaction is None or index is None:
        return open_(Reason.PROOF_NOT_SUPPLIED)
    # 1. The chaincode's own answer, which endorsers signed.
    if transaction.status is None:
        return open_(Reason.PROOF_NOT_SUPPLIED, "response")
    if transaction.status not in SUCCESS:
        actual = f"status {transaction.status}"
        return failed(EXECUTION, Reason.EXECUTION_FAILED, subject, expected="status 200", actual=actual)
    # 2. What the peer noted. A refusal speaks against the party's own proof; "valid" speaks for nothing by itself.
    flags = block.meta(messages.TRANSACTIONS_FILTER)
    if flags and len(flags) != len(block.envelopes or ()):
        actual = f"{len(flags)} flags for {len(block.envelopes or ())} transactions"
        return failed(EXECUTION, Reason.FORMAT_FAILURE, subject, actual=actual)
    flag = flags[index] if flags else NOT_VALIDATED
    shown = f"flag {flag}" if flags else "no flags"
    if flag not in (VALID, NOT_VALIDATED):
        actual = f"{shown} {CODES.get(flag, '')}".strip()
        return failed(EXECUTION, Reason.EXECUTION_FAILED, subject, expected="flag 0", actual=actual)
    # 3. The event without which the record is only a request, where the court's map names one.
    wanted = final_event(transaction, profile)
    event = transaction.event
    if wanted is not None and (
        event is None or (event.name, event.chaincode, event.tx_id) != (wanted, transaction.chaincode, transaction.tx_id)
    ):
        return open_(Reason.PROMISE_ONLY, event.name[:64] if event else "–")
    # 4. The first of its id.
    if repeated:
        return open_(Reason.VALIDITY_FLAG_UNSIGNED, CODES[9])
    # 5. What the court takes for recorded.
    basis = profile.execution_basis if profile else None
    if basis != "ordering_only" or (flags and flag != VALID):
        return open_(Reason.VALIDITY_FLAG_UNSIGNED, _peers(block, shown, peers))
    if not transaction.endorsements or (members_known and endorsed.reason is not None):
        # Whoever may write to the channel can have anything ordered: without endorsers that the channel has, no peer took it.
        return open_(endorsed.reason or Reason.PROOF_NOT_SUPPLIED, "endorsements")
    if endorsed.finding is not None and endorsed.finding.outcome is Outcome.FAILED:
        return open_(Reason.SIG_CRYPTO_FAILURE, "endorsements")
    return passed(EXECUTION, subject, expected="ordering_only", actual=shown, notes=("ORDERING_ONLY",))


def final_event(transaction: Transaction, profile: ChainProfile | None) -> str | None:
    """The event that the court's map demands of a record in this transaction."""
    present = {(p.contract, p.method, p.key) for p in places(transaction)}
    for contract in profile.contracts if profile else ():
        if contract.final_event and (contract.name, contract.method, contract.digest_param) in present:
            return contract.final_event
    return None


def _peers(block: Block, shown: str, peers: Sequence[tuple[str, bytes]]) -> str:
    """What is said of other peers' commit hashes: nobody here has asked them, so it is told and decides nothing."""
    if not peers:
        return shown
    try:
        own = protobuf.parse(block.meta(messages.COMMIT_HASH), messages.METADATA).data("value")
    except ProtobufError:
        own = b""
    agreeing = sum(1 for _, said in peers if own and said == own)
    return f"{shown}; commit hash {agreeing}/{len(peers)} stated"
