"""XuperChain's messages: the field tables of blocks and transactions, and what is read from their bytes.

Source: xuperchain/xupercore `bcs/ledger/xledger/xldgpb/xledger.proto`; the same numbers in xuperchain v3 `core/pb/xchain.proto`.
Blocks and transactions end in this one reader whatever spelling they came in. It keeps to the wire rules of `codecs.protobuf`;
what is hashed is made from the values, because XuperChain hashes no wire bytes.
"""

from dataclasses import dataclass
from functools import cached_property

from ..codecs import protobuf
from ..codecs.protobuf import (
    Fault,
    Kind,
    Message,
    MessageType,
    ProtobufError,
    data,
    enum,
    flag,
    int32,
    int64,
    mapping,
    message,
    string,
)
from ..reasons import Reason
from .xuperchain_keys import PublicKey, public_key

HASH_BYTES = 32
RESOURCES = {"CPU": 0, "MEMORY": 1, "DISK": 2, "XFEE": 3}
STAGES = {"NEW_VIEW": 0, "PREPARE": 1, "PRE_COMMIT": 2, "COMMIT": 3, "DECIDE": 4}

TX_INPUT = MessageType(
    "TxInput",
    data(1, "ref_txid"),
    int32(2, "ref_offset"),
    data(5, "from_addr"),
    data(6, "amount"),
    int64(7, "frozen_height"),
)
TX_OUTPUT = MessageType("TxOutput", data(1, "amount"), data(2, "to_addr"), int64(4, "frozen_height"))
TX_INPUT_EXT = MessageType(
    "TxInputExt", string(1, "bucket"), data(2, "key"), data(3, "ref_txid"), int32(4, "ref_offset")
)
TX_OUTPUT_EXT = MessageType("TxOutputExt", string(1, "bucket"), data(2, "key"), data(3, "value"))
RESOURCE_LIMIT = MessageType("ResourceLimit", enum(1, "type", RESOURCES), int64(2, "limit"))
INVOKE_REQUEST = MessageType(
    "InvokeRequest",
    string(1, "module_name"),
    string(2, "contract_name"),
    string(3, "method_name"),
    mapping(4, "args", data(2, "value")),
    message(5, "resource_limits", RESOURCE_LIMIT, repeated=True),
    string(6, "amount"),
)
SIGNATURE = MessageType("SignatureInfo", string(1, "PublicKey"), data(2, "Sign"))
XUPER_SIGNATURE = MessageType("XuperSignature", data(1, "public_keys", repeated=True), data(2, "signature"))
MODIFY_BLOCK = MessageType(
    "ModifyBlock",
    string(1, "effective_txid"),
    flag(2, "marked"),
    int64(3, "effective_height"),
    string(4, "public_key"),
    string(5, "sign"),
)
HD_INFO = MessageType("HDInfo", data(1, "hd_public_key"), data(2, "original_hash"))
TRANSACTION = MessageType(
    "Transaction",
    data(1, "txid"),
    data(2, "blockid"),
    message(3, "tx_inputs", TX_INPUT, repeated=True),
    message(4, "tx_outputs", TX_OUTPUT, repeated=True),
    data(6, "desc"),
    flag(7, "coinbase"),
    string(8, "nonce"),
    int64(9, "timestamp"),
    int32(10, "version"),
    flag(11, "autogen"),
    message(23, "tx_inputs_ext", TX_INPUT_EXT, repeated=True),
    message(24, "tx_outputs_ext", TX_OUTPUT_EXT, repeated=True),
    message(25, "contract_requests", INVOKE_REQUEST, repeated=True),
    string(26, "initiator"),
    string(27, "auth_require", repeated=True),
    message(28, "initiator_signs", SIGNATURE, repeated=True),
    message(29, "auth_require_signs", SIGNATURE, repeated=True),
    int64(30, "received_timestamp"),
    message(31, "xuper_sign", XUPER_SIGNATURE),
    message(32, "modify_block", MODIFY_BLOCK),
    message(33, "HD_info", HD_INFO),
)
SIGN_INFO = MessageType("SignInfo", string(1, "Address"), string(2, "PublicKey"), data(3, "Sign"))
SIGN_INFOS = MessageType("QCSignInfos", message(1, "QCSignInfos", SIGN_INFO, repeated=True))
QUORUM_CERT = MessageType(
    "QuorumCert",
    data(1, "ProposalId"),
    data(2, "ProposalMsg"),
    enum(3, "Type", STAGES),
    int64(4, "ViewNumber"),
    message(5, "SignInfos", SIGN_INFOS),
)
BLOCK = MessageType(
    "InternalBlock",
    int32(1, "version"),
    int32(2, "nonce"),
    data(3, "blockid"),
    data(4, "pre_hash"),
    data(5, "proposer"),
    data(6, "sign"),
    data(7, "pubkey"),
    data(8, "merkle_root"),
    int64(9, "height"),
    int64(10, "timestamp"),
    message(11, "transactions", TRANSACTION, repeated=True),
    int32(12, "tx_count"),
    data(13, "merkle_tree", repeated=True),
    flag(14, "in_trunk"),
    data(15, "next_hash"),
    int64(16, "curTerm"),
    int64(17, "curBlockNum"),
    mapping(18, "failed_txs", string(2, "value")),
    int32(19, "targetBits"),
    message(20, "Justify", QUORUM_CERT),
)
NUMBERS = {of: {f.number for f in of.fields} for of in (TRANSACTION, BLOCK)}
VARINT_FIELDS = {
    of: {f.number for f in of.fields if f.kind not in (Kind.BYTES, Kind.STRING, Kind.MESSAGE)} for of in (TRANSACTION, BLOCK)
}


class Unreadable(ValueError):
    """What was handed in is not a block or a transaction of this family; `reason` says whether it is malformed, newer or too large."""

    def __init__(self, reason: Reason, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason


_REASON = {
    Fault.FORM: Reason.FORMAT_FAILURE,
    Fault.UNKNOWN: Reason.UNSUPPORTED_FORMAT,
    Fault.LIMIT: Reason.RESOURCE_LIMIT,
}


@dataclass(frozen=True, eq=False)
class Transaction:
    """`lossy`: it came in a rendering that leaves out part of what is hashed, so that a mismatch contradicts nothing."""

    source: str
    body: Message
    lossy: bool = False

    @property
    def txid(self) -> bytes:
        return self.body.data("txid")


@dataclass(frozen=True, eq=False)
class Block:
    """`lossy` as for a transaction."""

    source: str
    body: Message
    lossy: bool = False

    @property
    def pre_hash(self) -> bytes:
        return self.body.data("pre_hash")

    @cached_property
    def key(self) -> PublicKey | None:
        """The proposer's key, None when it is not in the chain's own spelling."""
        try:
            return public_key(self.body.data("pubkey").decode("ascii"))
        except UnicodeDecodeError:
            return None

    @cached_property
    def proposer(self) -> str:
        return self.body.data("proposer").decode("ascii", "backslashreplace")


def transaction(raw: bytes, *, source: str, lossy: bool = False) -> Transaction:
    """Raises Unreadable and nothing else."""
    return Transaction(source, _parse(raw, TRANSACTION), lossy)


def block(raw: bytes, *, source: str, lossy: bool = False) -> Block:
    """Raises Unreadable and nothing else."""
    return Block(source, _parse(raw, BLOCK), lossy)


def unreadable(fault: ProtobufError) -> Unreadable:
    return Unreadable(_REASON[fault.fault], str(fault))


def _parse(raw: bytes, of: MessageType) -> Message:
    try:
        return protobuf.parse(raw, of)
    except ProtobufError as fault:
        raise unreadable(fault) from fault
