"""What intake tells a person, in Chinese (the source) and by translation: one code, one sentence, always with what to do.

The UPLOAD_… codes are those of court-domain §10, then those a broken transfer or a full court needs besides. Warnings belong to
files that were taken. No sentence says anything about what a file is worth as evidence.
"""

from django.utils.translation import gettext_lazy as _

REFUSALS = {
    "UPLOAD_NONE": _("请选择要提交的文件"),
    "UPLOAD_TOO_BIG": _("文件超过 %(n)s，请改用分段上传或联系书记员"),
    "UPLOAD_VIRUS": _("文件中发现恶意程序，未接收"),
    "UPLOAD_FAILED": _("上传中断，已保存到 %(p)s%%，请重试"),
    "UPLOAD_TEMPLATE": _("请使用本院提供的表格（版本 %(v)s）"),
    "UPLOAD_TYPE": _("这种文件不能受理。可受理：%(list)s"),
    "UPLOAD_EMPTY": _("文件是空的（0 字节）"),
    "UPLOAD_PASSWORD": _("文件有密码。请去掉密码，或把密码交给书记员"),
    "UPLOAD_TOO_MANY": _("一次最多 %(n)s 个文件，其余请分批提交"),
    "UPLOAD_CHANGED": _("文件在传送途中发生变化，没有接收。请重新选择这个文件再试一次"),
    "UPLOAD_TORN": _(
        "文件没有完整传到，什么也没有保存。请检查网络后再选一次文件；文件较大时请用能分段上传的浏览器"
    ),
    "UPLOAD_QUOTA": _("已达到可上传的总量 %(n)s，请先移除不需要的文件，或联系书记员"),
    "UPLOAD_RATE": _("一天内开始的上传太多，请明天再试或联系书记员"),
    "UPLOAD_OPEN": _("还有 %(n)s 个文件没有传完。请先继续或移除它们"),
    "UPLOAD_FULL": _("法院的存储空间暂时不足，这个文件没有保存。已填写的内容都在，请稍后再试或联系书记员"),
    "UPLOAD_UNCHECKED": _("文件检查服务暂时不可用，这个文件没有接收。请稍后再试"),
}
WARNINGS = {
    "RECODED_SUSPECTED": _(
        "这个文件可能被手机或聊天软件转换过，与证书登记的内容就不再相同。请从“文件”或原始聊天文件中重新选择；如果它就是原件，可以继续。"
    ),
    "CONTENT_ENCRYPTED": _(
        "文件有密码或使用限制，已按原样接收。请把密码交给书记员；已经登记存证的文件不要为去掉密码而另存，另存会改变文件。"
    ),
    "CONTENT_DAMAGED": _(
        "文件看起来不完整，可能没有下载完或没有录制完。已按原样接收；如有完整的文件，请移除后重新选择。"
    ),
    "CONTENT_TRAILING": _("文件在正常结尾之后还有别的数据。已按原样接收。"),
    "ALSO_PARSES": _("这个文件同时符合两种格式的写法，不同软件打开可能看到不同内容。已按原样接收并作标记。"),
    "TYPE_MISMATCH": _("文件内容与扩展名“.%(extension)s”不符。已按原样接收；请确认选对了文件。"),
    "PROGRAM": _("这是计算机程序。法院按原样保存，不会运行它。"),
    "NAME_UNUSUAL": _("文件名含有看不见或会改变阅读方向的字符，页面上已把它们标出。"),
}
ACCEPTED = _(
    "网页快照（WACZ、WARC、MHTML、HTML、HAR）、存证包（ZIP）、文档（PDF、OFD、Word、Excel、TXT、CSV）、图片、录音、录像、"
    "证书和时间戳（JSON、PDF、TSR、P7S、PEM、OTS）以及其他原始电子数据文件"
)
"""The {list} of UPLOAD_TYPE."""


class Refused(Exception):
    """A file, or the step that would take one, is refused: nothing of it is kept. `code` is a key of REFUSALS."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values

    @property
    def sentence(self) -> str:
        return refusal(self.code, **self.values)


def refusal(code: str, **values: object) -> str:
    return str(REFUSALS[code]) % {"list": ACCEPTED, **values}


def warning(code: str, **values: object) -> str:
    return str(WARNINGS[code]) % values
