"""最高人民法院 司法链平台: the answer of its check, as a party may have saved it.

Source: 法发〔2022〕16号 and press descriptions; there is no public interface. The check of an uploaded file answers with one of
three sentences, with 存证编号, 存证时间 and 验证结果. **A sentence in a party's file is that file's claim, never the court's
answer**: an answer comes over the court's own line, and from nowhere else.
"""

from .form import Answer, Form
from .spellings import Concept

AGREES = "核验通过"
NOT_FOUND = "尚未在司法区块链存证"
DIFFERS = "与链上存证数据比对结果不一致"

FORM = Form(
    platform="spc-sifa",
    kinds={
        "check": ("存证编号", "验证结果"),
        "check with another word": ("存证编号", "核验结果"),
        "check without a number": ("验证结果", "存证时间"),
    },
    says=(AGREES, NOT_FOUND, DIFFERS),
    concepts={"存证编号": Concept.CERTIFICATE_NO, "存证时间": Concept.RECORDED},
    answers=(Answer("验证结果", contains=(AGREES,)), Answer("核验结果", contains=(AGREES,))),
)
