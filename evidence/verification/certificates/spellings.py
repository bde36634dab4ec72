"""How certificates spell their members, whoever issued them (spec consortium-chains §10.2), as one table.

Names are compared without case, `_`, `-` and spaces, so that txHash, tx_hash and TxHash are one name. What one platform means
by a name stands in that platform's own table (`form.Form`).
"""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

NAME_MAX = 64
"""Characters of a member name that is looked up."""


class Concept(StrEnum):
    CERTIFICATE_NO = "certificate number"
    FILE_NAME = "file name"
    FILE_SIZE = "file size"
    DIGEST = "digest"
    ALGORITHM = "algorithm"
    TX_ID = "transaction"
    HEIGHT = "block height"
    BLOCK_HASH = "block hash"
    CAPTURED = "time of capture"
    RECORDED = "time of recording"
    ISSUED = "time of issue"
    CHAIN_ID = "chain"
    PLATFORM = "platform"
    CAPTURE_BEGUN = "start of capture"
    TOKEN = "time-stamp token"
    ANSWER = "answer of the platform"


NAMES: Mapping[Concept, tuple[str, ...]] = MappingProxyType(
    {
        Concept.CERTIFICATE_NO: (
            "certificateNo", "certificateNumber", "certNo", "evidenceId", "evidenceNo", "evId", "depositNo", "attestationId",
            "certificateStorageNo", "存证编号", "保全号", "保全编号", "证书编号", "存证证书编号", "存证号",
        ),
        Concept.FILE_NAME: ("fileName", "evidenceName", "文件名", "文件名称", "存证名称", "证据名称", "name"),
        Concept.FILE_SIZE: ("fileSize", "size", "length", "文件大小"),
        Concept.DIGEST: (
            "hash", "fileHash", "digest", "fileDigest", "contentHash", "evidenceHash", "hashValue", "docHash",
            "文件哈希", "文件哈希值", "文件hash", "哈希值", "哈希", "文件摘要", "摘要值", "摘要", "存证哈希", "数字指纹",
        ),
        Concept.ALGORITHM: (
            "hashAlgorithm", "hashAlg", "hashType", "digestAlg", "digestAlgorithm", "algorithm", "哈希算法", "摘要算法", "算法",
        ),
        Concept.TX_ID: (
            "txHash", "txId", "transactionHash", "transactionId", "evidenceTxHash", "交易哈希", "交易hash", "交易ID",
            "上链交易哈希", "存证交易哈希",
        ),
        Concept.HEIGHT: ("blockHeight", "blockNumber", "blockchainHeight", "区块高度", "区块号"),
        Concept.BLOCK_HASH: ("blockHash", "blockId", "区块哈希", "区块hash"),
        Concept.CAPTURE_BEGUN: ("captureStartTime", "取证开始时间"),
        Concept.CAPTURED: ("captureTime", "gmtEvidence", "取证时间", "固证时间"),
        Concept.RECORDED: (
            "timestamp", "txTime", "evidenceTime", "createTime", "blockTime", "depositTime", "certificateTime",
            "上链时间", "存证时间", "区块时间",
        ),
        Concept.ISSUED: ("issueTime", "issuedAt", "出证时间", "签发时间"),
        Concept.CHAIN_ID: ("chainId", "链ID", "区块链ID"),
        Concept.PLATFORM: ("platform", "platformName", "平台", "平台名称", "存证平台"),
        Concept.TOKEN: ("tsr", "timestampToken", "可信时间戳"),
    }
)  # fmt: skip
DIGEST_NAMES: Mapping[str, str] = MappingProxyType(
    {
        spelling: algorithm
        for algorithm, stem in (
            ("SHA-256", "sha256"), ("SM3", "sm3"), ("SHA-384", "sha384"), ("SHA-512", "sha512"), ("SHA3-256", "sha3256"),
            ("SHA-1", "sha1"), ("MD5", "md5"),
        )
        for spelling in (stem, stem + "hash", stem + "digest", stem + "值", "file" + stem, "文件" + stem, stem + "哈希值")
    }
)  # fmt: skip
"""Members whose name is the algorithm of the digest they hold."""

BARE_HASH = ("hash", "digest", "hashvalue", "哈希", "哈希值", "摘要", "摘要值")
"""Digest members that do not say of what."""

ENVELOPES = ("data", "response", "result", "certificate", "evidence", "存证信息", "证书信息", "证据信息")
"""Members that hold the certificate proper."""
LISTS = ("files", "fileList", "evidenceFiles", "文件列表", "文件清单", "文件")
"""Members that hold one object per file."""

STRONG = frozenset({Concept.TX_ID, Concept.HEIGHT, Concept.BLOCK_HASH, Concept.CERTIFICATE_NO})
"""What a platform says of a record and a captured file does not say of itself."""


def normal(name: str) -> str:
    """One spelling of a member name."""
    return _normal(name[: NAME_MAX + 1])


@lru_cache(maxsize=4096)
def _normal(name: str) -> str:
    return re.sub(r"[\s_\-:：]", "", unicodedata.normalize("NFKC", name).casefold())


_CONCEPTS: Mapping[str, Concept] = MappingProxyType(
    {normal(name): concept for concept, names in NAMES.items() for name in names}
    | dict.fromkeys(DIGEST_NAMES, Concept.DIGEST)
)
_ENVELOPES = frozenset(map(normal, ENVELOPES))
_LISTS = frozenset(map(normal, LISTS))


def concept(name: str) -> Concept | None:
    return _CONCEPTS.get(normal(name))


def is_envelope(name: str) -> bool:
    return normal(name) in _ENVELOPES


def is_list(name: str) -> bool:
    return normal(name) in _LISTS
