"""华为云 DAC 数字资产链: records and their public check (`GET /v1/open/evidences/verification?index=`).

Source: support.huaweicloud.com/api-dac (ShowEvidence, ShowDedicateEvidence, ValidateEvidence, AddEvidence). The digest is
documented as SM3, `block_hash` as it is printed is base64, `create_time` counts milliseconds and is a text.
"""

from .form import Form

FORM = Form(
    platform="huawei-dac",
    kinds={
        "record": ("tx_id", "ev_id"),
        "check": ("ev_id", "block_hash", "file_hash"),
    },
    never=("blockid", "retCode"),
    concepts={"user_addr": None, "charge_type": None},
    units={"create_time": "ms"},
    default="SM3",
    base64=("block_hash",),
)
