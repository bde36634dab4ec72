"""The register of acts: what may be written in the book, in the words people read, with its particulars.

A new act is one line here. `params` are exactly the particulars it is recorded with; the sentences may name them.
Particulars hold public ids, numbers, digests and codes, never the content of evidence and never a free text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Act:
    """`code` is permanent: it stands in leaves that are never rewritten."""

    code: str
    zh: str
    en: str
    params: tuple[str, ...] = ()


_ACTS = (
    # the book itself
    Act("ledger.heartbeat", "留痕日志心跳", "Ledger heartbeat"),
    Act("ledger.erase", "依法删除第 {entry} 条留痕的明细：{basis}", "Particulars of entry {entry} erased: {basis}", ("entry", "basis")),
    # offices of the court and its trust store
    Act("office.give", "任命 {post}", "Office of {post} given", ("person", "post")),
    Act("office.end", "免去 {post}", "Office of {post} ended", ("person", "post")),
    Act("trust.propose", "提请批准信任库变更 {digest}", "Trust store {digest} proposed for approval", ("draft", "digest", "base")),
    Act("trust.retract", "撤回提请 {digest}", "Proposal of trust store {digest} taken back", ("draft", "digest")),
    Act("trust.reject", "驳回信任库变更 {digest}", "Trust store {digest} rejected", ("draft", "digest")),
    Act(
        "trust.publish",
        "发布第 {number} 版信任库 {digest}（此前 {previous}；{door}）",
        "Trust store no. {number} published: {digest} (before it: {previous}; {door})",
        ("draft", "number", "digest", "previous", "proposer", "approver", "door"),
    ),
    Act("trust.reverify", "因信任库更新对 {count} 件证据发起重新核验", "{count} exhibits verified again under a new trust store", ("trust", "count")),
    # rights within a case
    Act("case.delegate", "审判长交办 {action}", "{action} delegated by the presiding judge", ("person", "action")),
    Act("case.undelegate", "审判长收回交办的 {action}", "Delegation of {action} taken back by the presiding judge", ("person", "action")),
    # evidence
    Act(
        "evidence.mismatch",
        "一个上传的文件与发送方设备算出的指纹不同，未接收",
        "An uploaded file differs from what the sending device hashed; it was not taken",
        ("draft", "upload"),
    ),
    Act(
        "evidence.submit",
        "提交证据 {number}（收据 {receipt}）",
        "Exhibit {number} submitted (receipt {receipt})",
        ("exhibit", "receipt", "side", "number", "late", "files"),
    ),
    Act(
        "evidence.state",
        "提交人就证据上链之前的情况作出 {count} 项陈述",
        "The submitter made {count} statements on the time before recording of an exhibit",
        ("exhibit", "count", "statements"),
    ),
    Act("evidence.download", "下载证据的第 {position} 个文件", "File no. {position} of an exhibit downloaded", ("exhibit", "position")),
    Act(
        "evidence.show",
        "打开证据第 {position} 个文件第 {number} 项网页的安全视图",
        "Safe view of page no. {number} in file no. {position} of an exhibit opened",
        ("exhibit", "position", "number"),
    ),
    Act(
        "capture.again",
        "再次读取证据的第 {position} 个文件，以便展示（第 {turn} 次）",
        "File no. {position} of an exhibit to be read once more for display (turn {turn})",
        ("exhibit", "position", "turn"),
    ),
    # verification
    Act("verify.request", "发起第 {number} 次核验", "Verification no. {number} requested", ("exhibit", "run", "number")),
    Act(
        "verify.finish",
        "核验完成：{overall}（{grade}）",
        "Verification finished: {overall} ({grade})",
        ("exhibit", "run", "overall", "grade", "engine", "trust"),
    ),
    Act("verify.stale", "拒绝过期的核验结果写入", "Stale verification result refused", ("run", "attempt")),
    Act("verify.park", "核验 {attempts} 次未能完成，已搁置", "Verification parked after {attempts} attempts", ("run", "attempts")),
    # the court's own nodes
    Act("node.ask", "决定向法院节点 {node} 查询一笔交易", "Court node {node} to be asked for a transaction", ("exhibit", "inquiry", "node")),
    Act(
        "node.exchange",
        "向法院节点 {node} 发出请求 {question}：{outcome}",
        "Request {question} put to court node {node}: {outcome}",
        ("exhibit", "inquiry", "node", "question", "outcome", "request", "certificate"),
    ),
    Act(
        "node.answer",
        "法院节点 {node} 的查询结束：{outcome}",
        "Inquiry at court node {node} ended: {outcome}",
        ("exhibit", "inquiry", "node", "outcome", "sources"),
    ),
    Act("node.download", "下载法院节点的第 {position} 份答复", "Answer no. {position} of a court node downloaded", ("exhibit", "run", "position")),
    # reports
    Act("report.order", "生成核验报告 {report}", "Report {report} ordered", ("report",)),
    Act("report.draft", "核验报告 {report} 的草稿制成", "Draft of report {report} made", ("report", "annex")),
    Act("report.draft_download", "下载核验报告 {report} 的草稿", "Draft of report {report} downloaded", ("report",)),
    Act("report.check", "复核核验报告 {report}", "Report {report} checked", ("report", "annex")),
    Act("report.return", "核验报告 {report} 退回草稿", "Report {report} returned to draft", ("report", "reason")),
    Act("report.send", "决定签发核验报告 {report}", "Report {report} sent to be signed", ("report", "annex")),
    Act("report.retry", "重新制作核验报告 {report}", "Report {report} tried again", ("report",)),
    Act("report.discard", "核验报告 {report} 的草稿作废", "Draft of report {report} discarded", ("report",)),
    Act("report.fail", "核验报告 {report} 未能生成", "Report {report} could not be made", ("report",)),
    Act(
        "report.sign",
        "签发核验报告 {report}（{level}）",
        "Report {report} signed ({level})",
        ("report", "annex", "unsigned", "level"),
    ),
    Act("report.bundle", "下载报告 {report} 的核验包", "Re-verification bundle of report {report} downloaded", ("report",)),
    Act("report.download", "下载核验报告 {report}", "Report {report} downloaded", ("report",)),
    Act("report.release", "向当事人开放核验报告 {report}", "Report {report} released to the parties", ("report",)),
    Act(
        "report.revise",
        "核验报告 {report} 第 {number} 份文件（{level}）",
        "Report {report}: revision {number} kept ({level})",
        ("report", "number", "level", "reason"),
    ),
    Act("report.supersede", "核验报告 {report} 由 {successor} 取代", "Report {report} superseded by {successor}", ("report", "successor")),
    Act("report.ask_revoke", "提请撤销核验报告 {report}", "Revocation of report {report} requested", ("report", "reason")),
    Act("report.drop_revoke", "不予撤销核验报告 {report}", "Revocation of report {report} not granted", ("report",)),
    Act("report.revoke", "撤销核验报告 {report}", "Report {report} revoked", ("report", "reason")),
    # the export desk
    Act("report.batch", "为 {exhibits} 件证据一次要求 {reports} 份报告", "{reports} reports for {exhibits} exhibits ordered at once", ("batch", "exhibits", "reports")),
    Act("export.order", "要求导出 {exhibits} 件证据、{reports} 份报告", "Export of {exhibits} exhibits and {reports} reports ordered", ("export", "exhibits", "reports")),
    Act("export.finish", "导出包制成（{size} 字节）", "Export made ({size} bytes)", ("export", "size")),
    Act("export.download", "下载导出包", "Export downloaded", ("export",)),
    Act("export.expire", "导出包到期删除", "Export removed after its time", ("export",)),
    Act("report.drill", "查找证书 {certificate} 签过的报告", "Reports signed with certificate {certificate} looked up", ("certificate",)),
)  # fmt: skip
ACTS: Mapping[str, Act] = {act.code: act for act in _ACTS}
