"""腾讯云 BTOE 区块链存证: replies and requests of API versions 2021-03-03 and 2021-05-14.

Source: cloud.tencent.com/document/api/1259 (54915, 54918, 56563, 56564, 56566, 56570) and the names in PyPI
tencentcloud-sdk-python-btoe 3.0.1459. `HashType` is 0 SM3, 1 SHA-256, 2 SHA-384 and 0 when it is left out; version
2021-05-14 of CreateHashDeposit has no such member. `EvidenceTime` is a clock without a zone. `BlockchainHeight` is given by
2021-03-03 only. `EvidenceCert` is a temporary address of the sealed PDF. A `Result` says nothing about whose record it is.
"""

from .form import Answer, Form
from .spellings import Concept

FORM = Form(
    platform="btoe",
    kinds={
        "deposit information": ("EvidenceId", "EvidenceTxHash"),
        "deposit information without a number": ("EvidenceTxHash", "EvidenceTime"),
        "deposit": ("EvidenceHash", "HashType"),
        "deposit of a hash": ("EvidenceHash", "EvidenceName"),
        "web page": ("EvidenceUrl", "EvidenceName"),
        "address of the certificate": ("EvidenceId", "EvidenceCert"),
        "address of the file": ("EvidenceId", "EvidenceFile"),
        "check of a transaction": ("EvidenceId", "EvidenceTime", "Result"),
        "check of a hash": ("EvidenceHash", "Result"),
        "receipt": ("EvidenceId", "BusinessId"),
    },
    never=("certificate_no", "certificate_file_url", "evidence_type", "docHash"),
    concepts={"EvidenceUrl": None, "BusinessId": None, "EvidenceName": Concept.FILE_NAME},
    algorithms={"0": "SM3", "1": "SHA-256", "2": "SHA-384"},
    default="SM3",
    envelopes=("Response", "Request"),
    answers=(Answer("Result", good=("true",)),),
    versions={"Version": ("2021-03-03", "2021-05-14"), "ApiVersion": ("2021-03-03", "2021-05-14")},
)
