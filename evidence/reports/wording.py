"""The report's own words, each in Chinese and English; everything about a check comes from the engine's message catalogue.

The machine speaks to the court here, not to a party: verdict sentences are neutral where the pages say "your file".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from evidence.verification import catalogue


@dataclass(frozen=True, slots=True)
class Words:
    zh: str
    en: str


def spoken(words: Words, language: str, *, between: str = " ") -> str:
    """The words in the language of a report (`Report.language`), both beside each other for zh-en."""
    return {"zh": words.zh, "en": words.en}.get(language, f"{words.zh}{between}{words.en}")


def words(function: Callable[..., str], *arguments: Any) -> Words:
    """A text of the message catalogue in both languages."""
    return Words(function(*arguments, "zh"), function(*arguments, "en"))


def statement(key: str) -> Words:
    return words(catalogue.statement, key)


VERDICTS = {
    "CONSISTENT": Words("核验一致", "CONSISTENT"),
    "INCONSISTENT": Words("核验不一致", "INCONSISTENT"),
    "INDETERMINATE": Words("无法判定", "INDETERMINATE"),
}
SENTENCES = {
    "CONSISTENT": Words(
        "送验文件与登记的记录一致，该记录通过了全部必需检查；登记之后没有发现变化。",
        "The files agree with the record, and the record passed every required check; no change was found since recording.",
    ),
    "INCONSISTENT": Words(
        "至少一项必需检查得出相反结果，例如文件与登记的记录不同；系统不判断原因和责任。",
        "At least one required check gave the opposite result, for example the file differs from the record; the system does"
        " not judge why or through whom.",
    ),
    "INDETERMINATE": Words(
        "材料不齐，或者有的信息现在无法核对，既不能说一致，也不能说不一致；这不是对任何一方不利的结论。",
        "Something is missing or cannot be checked now, so neither can be said; this is not a result against anybody.",
    ),
}
SYMBOLS = {
    "CONSISTENT": "✓",
    "INCONSISTENT": "✗",
    "PASSED": "✓",
    "FAILED": "✗",
    "INDETERMINATE": "?",
    "supported_by_checks": "✓",
    "contradicted_by_checks": "✗",
    "needs_human": "人",
    "not_applicable": "—",
}
CATEGORIES = {
    "web": Words("网页等网络平台发布的信息", "web page or other platform content"),
    "communication": Words("通信信息", "communications"),
    "log_transaction": Words("注册、认证、交易、日志信息", "registration, identity, transaction or log data"),
    "file": Words("电子文件", "electronic files"),
    "other": Words("其他", "other"),
}
ORIGINAL_FORMS = {
    "native": Words("原生电子数据", "born digital"),
    "scan": Words("扫描件", "scan"),
    "rephotographed": Words("翻拍件", "photograph of a copy"),
    "transcribed": Words("转录件", "transcription"),
}
SIDES = {
    "court": Words("法院", "Court's"),
    "plaintiff": Words("原告", "Plaintiff's"),
    "defendant": Words("被告", "Defendant's"),
    "third": Words("第三人", "Third party's"),
}
"""In the order in which exhibits are listed."""
ROLES = {
    "presiding_judge": Words("审判长/独任法官", "presiding judge"),
    "panel_judge": Words("合议庭成员", "panel judge"),
    "judge_assistant": Words("法官助理", "judge's assistant"),
    "clerk": Words("书记员", "clerk"),
    "filing_clerk": Words("立案人员", "filing clerk"),
    "litigant": Words("当事人", "party"),
    "agent": Words("诉讼代理人", "party's agent"),
    "third_party": Words("第三人", "third party"),
    "expert": Words("鉴定人", "expert"),
    "special_knowledge": Words("有专门知识的人", "person with special knowledge"),
    "tech_investigator": Words("技术调查官", "technical investigator"),
    "supervisor": Words("院庭长", "supervising judge"),
    "auditor": Words("审计", "auditor"),
    "archivist": Words("档案员", "archivist"),
    "system": Words("系统", "the system"),
    "": Words("其他人员", "another person"),
}
WHO = {
    "judge": Words("法官", "judge"),
    "clerk": Words("书记员", "clerk"),
    "litigant": Words("提交人", "submitter"),
    "opposing": Words("对方", "opposing party"),
    "platform": Words("平台", "platform"),
    "expert": Words("专家", "expert"),
    "system": Words("系统", "system"),
}
"""Who answers a question of the law where the checks do not."""
EVENTS = {
    "CAPTURE_BEGUN": Words("声称的开始取证时间（未经证明）", "Claimed beginning of capture (not proven)"),
    "CAPTURED": Words("声称的取证时间（未经证明）", "Claimed time of capture (not proven)"),
    "PACKAGED": Words("声称的打包时间（未经证明）", "Claimed time of packaging (not proven)"),
    "LOGGED": Words("日志写明的时间（未经证明）", "Time in a log (not proven)"),
    "RECORDED": Words("声称的登记时间（未经证明）", "Claimed time of recording (not proven)"),
    "ISSUED": Words("声称的出证时间（未经证明）", "Claimed time of issue (not proven)"),
    "SERVER_DATE": Words("服务器答复写明的时间（未经证明）", "Time in a server's answer (not proven)"),
    "UNANCHORED": Words("没有核到信任锚的证明所写的时间（未经证明）", "Time in a proof that reaches no anchor (not proven)"),
    "STAMPED": Words("时间戳：不晚于此时已存在（已证明）", "Time-stamp: existed not later than this (proven)"),
    "ON_CHAIN": Words("区块时间：不晚于此时已存在（已证明）", "Block time: existed not later than this (proven)"),
    "CHECKPOINTED": Words("法院检查点：不晚于此时已存在（已证明）", "Checkpoint: existed not later than this (proven)"),
    "BOUND": Words("不晚于此时已存在（已证明）", "Existed not later than this (proven)"),
    "RECEIVED": Words("本院收到文件", "The court received the files"),
    "": Words("声称的时间（未经证明）", "A claimed time (not proven)"),
    "verified": Words("核验所依据的时间点", "The moment verified for"),
}
COURT_CLOCK = Words("本院的时钟", "the court's clock")
NO_CLOCK = Words("写明者自己的说法", "whoever states it")
FILE_ROLES = {
    "CONTENT": Words("内容", "content"),
    "CERTIFICATE": Words("证书", "certificate"),
    "PROOF": Words("证明", "proof"),
    "SUPPORT": Words("辅助", "support"),
}
KINDS = {
    "single": Words("单件", "single exhibit"),
    "catalogue": Words("多件", "several exhibits"),
    "supplement": Words("补充报告", "supplement"),
    "correction": Words("更正报告", "correction"),
}
LANGUAGES = {
    "zh-en": Words("中文、英文", "Chinese and English"),
    "zh": Words("中文", "Chinese"),
    "en": Words("英文", "English"),
}
"""Of the report itself."""
SEAL_INTENDED = "PAdES-B-LTA"
SEAL_LEVEL = Words(f"拟达到 {SEAL_INTENDED}；实际达到的级别见文件中的签名", f"intended: {SEAL_INTENDED}; the level reached stands in the signatures of the file")
"""For page 1, which is printed before anything is signed."""
SEAL_NOTE = Words(
    f"本页先于签章印出，只能写明拟达到的级别（{SEAL_INTENDED}）。签章时实际达到的级别，载于文件自身的签名中，法院系统的报告页面也列出。"
    "签章时取不到时间戳或者吊销资料的，当时的级别较低，以后由法院在文件末尾补上；补上以前和以后的文件都是同一份报告，本页不因此改变。",
    f"This page is printed before the seal is set and can name the intended level only ({SEAL_INTENDED}). The level reached at sealing stands in"
    " the signatures of the file itself and on the report's page in the court's system. Where no time-stamp or revocation data could be had at"
    " sealing, the level was lower then, and the court adds what was missing at the end of the file later; the file before and after is the same"
    " report, and this page does not change.",
)
"""What the printed level means, wherever there is room to say it."""
