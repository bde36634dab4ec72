"""e签宝: what was recorded of signed files on 蚂蚁链.

Source: open.esign.cn evidence/wqyeqg (antPushInfo), pdf-sign3/ugtag2 (antchain-file-info) and benz09 (its check). `antTxHash`
is the 统一证据编号, one per file; `fileHash` is SHA-256, `docHash` has no documented algorithm. `pushTime` of antchain-file-info
and `notaryTime` count milliseconds. Check codes: 0 agrees, 2302 differs, 3008 not found.
"""

from .form import Answer, Form
from .spellings import Concept

FORM = Form(
    platform="esign",
    kinds={"record": ("antTxHash", "antTransactionId"), "record of a document": ("antTxHash", "docHash"),
           "check": ("antTxHash", "fileHash")},
    concepts={
        "antTxHash": Concept.TX_ID,
        "antTransactionId": None,
        "eid": Concept.CERTIFICATE_NO,
        "segmentEid": None,
        "fileId": None,
        "pushTime": Concept.RECORDED,
        "notaryTime": Concept.RECORDED,
    },
    units={"pushTime": "ms", "notaryTime": "ms"},
    lists=("antPushList", "antchainFiles"),
    answers=(
        Answer("errCode", good=("0",)),
        Answer("code", good=("0",)),
        Answer("errorCode", good=("0",)),
        Answer("verifyResult", good=("true",)),
    ),
)  # fmt: skip
