"""腾讯云 TBaaS: what the service says of a transaction or a block of a ChainMaker or Fabric network that it hosts.

Source: the names and units in PyPI tencentcloud-sdk-python-tbaas 3.0.1459 (API version 2018-04-16). No signature and no raw
block is among them: a statement only. `Timestamp` and `BlockTimestamp` count seconds; `CreateTime` and `CreateTimestamp` have
no documented form. `BlockId` of a listed transaction is the number of its block, not a hash.
"""

from .form import Answer, Form
from .spellings import Concept

FORM = Form(
    platform="tbaas",
    kinds={
        "ChainMaker transaction": ("TxId", "CodeMessage", "BlockHeight"),
        "ChainMaker contract call": ("TxId", "CodeMessage", "GasUsed"),
        "Fabric transaction": ("TxHash", "TxStatus", "ChaincodeName"),
        "Fabric block": ("BlockHash", "PreBlockHash", "TxCount"),
        "listed transaction": ("TransactionHash", "TransactionStatus", "CreateOrgName"),
    },
    concepts={
        "BlockId": None,
        "PreBlockHash": None,
        "TransactionHash": None,
        "TxHash": None,
        "TransactionId": Concept.TX_ID,
        "BlockTimestamp": Concept.RECORDED,
        "CreateTimestamp": Concept.RECORDED,
    },
    units={"Timestamp": "s", "BlockTimestamp": "s"},
    envelopes=("Response",),
    lists=("Result", "TransactionList", "BlockList"),
    answers=(Answer("Code", good=("0",)),),
    versions={"Version": ("2018-04-16",)},
)
