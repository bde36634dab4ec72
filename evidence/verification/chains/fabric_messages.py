"""Hyperledger Fabric: field tables of its messages, with the numbers of `hyperledger/fabric-protos` (spec consortium-chains §7).

A block is opaque bytes inside opaque bytes: each level is hashed or signed as it came and read on its own. What orderers write
(header, signatures, metadata) is read without mercy; what clients of many kinds wrote (`_lenient`) may spell zero values out.
Order and number of fields are strict everywhere: messages are hashed one after another without lengths between them
(channel header, signature header and proposal; response and endorser; metadata, signature header and block header), and only
because a field may stand neither twice nor out of order does each such run of bytes have one reading.
"""

from ..codecs.protobuf import (
    Field,
    MessageType,
    data,
    enum,
    flag,
    int32,
    int64,
    mapping,
    message,
    string,
    uint32,
    uint64,
)


def _lenient(name: str, *fields: Field) -> MessageType:
    return MessageType(name, *fields, lenient=True)


# ── blocks, as orderers write them (common.proto) ─────────────────────────────────────────────────────────────────────

CONFIG = 1
ENDORSER_TRANSACTION = 3
"""`HeaderType` of a channel header."""

SIGNATURES, LAST_CONFIG, TRANSACTIONS_FILTER, COMMIT_HASH = 0, 1, 2, 4
"""`BlockMetadataIndex`."""

BLOCK_HEADER = MessageType("BlockHeader", uint64(1, "number"), data(2, "previous_hash"), data(3, "data_hash"))
BLOCK = MessageType(
    "Block",
    message(1, "header", BLOCK_HEADER),
    message(2, "data", MessageType("BlockData", data(1, "data", repeated=True))),
    message(3, "metadata", MessageType("BlockMetadata", data(1, "metadata", repeated=True))),
)
ENVELOPE = MessageType("Envelope", data(1, "payload"), data(2, "signature"))
METADATA_SIGNATURE = MessageType(
    "MetadataSignature", data(1, "signature_header"), data(2, "signature"), data(3, "identifier_header")
)
METADATA = MessageType("Metadata", data(1, "value"), message(2, "signatures", METADATA_SIGNATURE, repeated=True))
LAST_CONFIG_VALUE = MessageType("LastConfig", uint64(1, "index"))
ORDERER_BLOCK_METADATA = MessageType(
    "OrdererBlockMetadata",
    message(1, "last_config", LAST_CONFIG_VALUE),
    data(2, "consenter_metadata"),
)
IDENTIFIER_HEADER = MessageType("IdentifierHeader", uint32(1, "identifier"), data(2, "nonce"))

# ── envelopes, as clients write them (common.proto, identities.proto) ─────────────────────────────────────────────────

SERIALIZED_IDENTITY = _lenient("SerializedIdentity", string(1, "mspid"), data(2, "id_bytes"))
SIGNATURE_HEADER = _lenient("SignatureHeader", data(1, "creator"), data(2, "nonce"))
TIMESTAMP = _lenient("Timestamp", int64(1, "seconds"), int32(2, "nanos"))
CHANNEL_HEADER = _lenient(
    "ChannelHeader",
    int32(1, "type"),
    int32(2, "version"),
    message(3, "timestamp", TIMESTAMP),
    string(4, "channel_id"),
    string(5, "tx_id"),
    uint64(6, "epoch"),
    data(7, "extension"),
    data(8, "tls_cert_hash"),
)
HEADER = _lenient("Header", data(1, "channel_header"), data(2, "signature_header"))
PAYLOAD = _lenient("Payload", message(1, "header", HEADER), data(2, "data"))

# ── transactions (transaction.proto, proposal.proto, proposal_response.proto, chaincode.proto) ────────────────────────

CHAINCODE_ID = _lenient("ChaincodeID", string(1, "path"), string(2, "name"), string(3, "version"))
CHAINCODE_HEADER_EXTENSION = _lenient(
    "ChaincodeHeaderExtension", data(1, "payload_visibility"), message(2, "chaincode_id", CHAINCODE_ID)
)
TRANSACTION_ACTION = _lenient("TransactionAction", data(1, "header"), data(2, "payload"))
TRANSACTION = _lenient("Transaction", message(1, "actions", TRANSACTION_ACTION, repeated=True))
ENDORSEMENT = _lenient("Endorsement", data(1, "endorser"), data(2, "signature"))
ENDORSED_ACTION = _lenient(
    "ChaincodeEndorsedAction",
    data(1, "proposal_response_payload"),
    message(2, "endorsements", ENDORSEMENT, repeated=True),
)
CHAINCODE_ACTION_PAYLOAD = _lenient(
    "ChaincodeActionPayload", data(1, "chaincode_proposal_payload"), message(2, "action", ENDORSED_ACTION)
)
CHAINCODE_PROPOSAL_PAYLOAD = _lenient(
    "ChaincodeProposalPayload", data(1, "input"), mapping(2, "TransientMap", data(2, "value"))
)
LANGUAGES = {"UNDEFINED": 0, "GOLANG": 1, "NODE": 2, "CAR": 3, "JAVA": 4}
CHAINCODE_INPUT = _lenient(
    "ChaincodeInput", data(1, "args", repeated=True), mapping(2, "decorations", data(2, "value")), flag(3, "is_init")
)
CHAINCODE_SPEC = _lenient(
    "ChaincodeSpec",
    enum(1, "type", LANGUAGES),
    message(2, "chaincode_id", CHAINCODE_ID),
    message(3, "input", CHAINCODE_INPUT),
    int32(4, "timeout"),
)
CHAINCODE_INVOCATION_SPEC = _lenient("ChaincodeInvocationSpec", message(1, "chaincode_spec", CHAINCODE_SPEC))
PROPOSAL_RESPONSE_PAYLOAD = _lenient("ProposalResponsePayload", data(1, "proposal_hash"), data(2, "extension"))
RESPONSE = _lenient("Response", int32(1, "status"), string(2, "message"), data(3, "payload"))
CHAINCODE_ACTION = _lenient(
    "ChaincodeAction",
    data(1, "results"),
    data(2, "events"),
    message(3, "response", RESPONSE),
    message(4, "chaincode_id", CHAINCODE_ID),
)
CHAINCODE_EVENT = _lenient(
    "ChaincodeEvent", string(1, "chaincode_id"), string(2, "tx_id"), string(3, "event_name"), data(4, "payload")
)

# ── read-write sets (rwset.proto, kv_rwset.proto); reads and private data are not opened ──────────────────────────────

NS_RW_SET = _lenient("NsReadWriteSet", string(1, "namespace"), data(2, "rwset"), data(3, "collection_hashed_rwset", repeated=True))
TX_RW_SET = _lenient(
    "TxReadWriteSet", enum(1, "data_model", {"KV": 0}), message(2, "ns_rwset", NS_RW_SET, repeated=True)
)
KV_WRITE = _lenient("KVWrite", string(1, "key"), flag(2, "is_delete"), data(3, "value"))
KV_RW_SET = _lenient(
    "KVRWSet",
    data(1, "reads", repeated=True),
    data(2, "range_queries_info", repeated=True),
    message(3, "writes", KV_WRITE, repeated=True),
    data(4, "metadata_writes", repeated=True),
)

# ── configuration (configtx.proto, configuration.proto, msp_config.proto, policies.proto) ─────────────────────────────

CONFIG_VALUE = _lenient("ConfigValue", uint64(1, "version"), data(2, "value"), string(3, "mod_policy"))
CONFIG_GROUP = _lenient(
    "ConfigGroup",
    uint64(1, "version"),
    mapping(2, "groups", data(2, "value")),
    mapping(3, "values", data(2, "value")),
    mapping(4, "policies", data(2, "value")),
    string(5, "mod_policy"),
)
CONFIG_ENVELOPE = _lenient(
    "ConfigEnvelope",
    message(1, "config", _lenient("Config", uint64(1, "sequence"), data(2, "channel_group"))),
    data(2, "last_update"),
)
CONFIG_POLICY = _lenient("ConfigPolicy", uint64(1, "version"), data(2, "policy"), string(3, "mod_policy"))
POLICY = _lenient("Policy", int32(1, "type"), data(2, "value"))
IMPLICIT_META = 3
IMPLICIT_META_POLICY = _lenient("ImplicitMetaPolicy", string(1, "sub_policy"), int32(2, "rule"))
CONSENSUS_TYPE = _lenient("ConsensusType", string(1, "type"), data(2, "metadata"), int32(3, "state"))
NAMED = _lenient("HashingAlgorithm", string(1, "name"))
CONSENTER = _lenient(
    "Consenter",
    uint32(1, "id"),
    string(2, "host"),
    uint32(3, "port"),
    string(4, "msp_id"),
    data(5, "identity"),
    data(6, "client_tls_cert"),
    data(7, "server_tls_cert"),
)
ORDERERS = _lenient("Orderers", message(1, "consenter_mapping", CONSENTER, repeated=True))

MSP_CONFIG = _lenient("MSPConfig", int32(1, "type"), data(2, "config"))
OU_IDENTIFIER = _lenient("FabricOUIdentifier", data(1, "certificate"), string(2, "organizational_unit_identifier"))
NODE_OUS = _lenient(
    "FabricNodeOUs",
    flag(1, "enable"),
    message(2, "client", OU_IDENTIFIER),
    message(3, "peer", OU_IDENTIFIER),
    message(4, "admin", OU_IDENTIFIER),
    message(5, "orderer", OU_IDENTIFIER),
)
FABRIC_MSP_CONFIG = _lenient(
    "FabricMSPConfig",
    string(1, "name"),
    data(2, "root_certs", repeated=True),
    data(3, "intermediate_certs", repeated=True),
    data(4, "admins", repeated=True),
    data(5, "revocation_list", repeated=True),
    data(6, "signing_identity"),
    message(7, "organizational_unit_identifiers", OU_IDENTIFIER, repeated=True),
    data(8, "crypto_config"),
    data(9, "tls_root_certs", repeated=True),
    data(10, "tls_intermediate_certs", repeated=True),
    message(11, "fabric_node_ous", NODE_OUS),
)
