"""The forms of the common edits, by name; those of a chain are in `chain_forms`."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from . import certificates, edits
from .chain_forms import ChainForm, CheckpointForm, EpochForm, OrgRootForm, ValidatorForm
from .contents import PATH_MAX
from .drafts import TITLE_MAX
from .editing import PLAIN, Edit, certificate_in, line, lines, many
from .edits import Members


class Title(forms.Form):
    use_required_attribute = False
    title = line(_("这次要改什么、为什么"), max_length=TITLE_MAX, help_text=_("例如：某某链 11 月 20 日增加一个验证节点"))


class PlatformForm(Edit):
    heading = _("存证平台")
    about = ("platform",)
    id = line(_("编号"), help_text=_("小写字母、数字和连字符，发布后不要再改"))
    title_zh = line(_("名称（中文）"))
    title_en = line(_("名称（英文）"), required=False)
    operator = line(_("运营单位"))
    hosts = lines(_("域名"), 3, required=False, help_text=_("一行一个"))
    registration = line(_("备案或登记号"), required=False)
    seals = lines(_("登记的印章证书"), 2, required=False, help_text=_("平台印章证书的 SHA-256，一行一个；其上级根证书另行登记"))
    depositors = lines(_("平台确认的存证人公钥"), 2, required=False, help_text=_("SM2 公钥，十六进制，一行一个"))
    checked_on = forms.DateField(
        label=_("最近核对日期"),
        required=False,
        help_text=_("最近一次核对备案、登记的日期，如 2026-11-22"),
        widget=forms.TextInput(attrs=PLAIN),
    )

    def prefilled(self) -> dict[str, Any]:
        found: dict[str, Any] = next((p for p in self.pack.json(edits.PLATFORMS).get("platforms") or () if p.get("id") == self._known_as), {})
        title = found.get("title") or {}
        return {
            **{k: found.get(k) for k in ("id", "operator", "registration", "checked_on")},
            "title_zh": title.get("zh"),
            "title_en": title.get("en"),
            **{name: "\n".join(found.get(name) or ()) for name in ("hosts", "seals", "depositors")},
        }

    @property
    def _known_as(self) -> str | None:
        return self.thing.key[3] if self.thing else None

    def members(self) -> Members:
        given = self.cleaned_data
        checked: date | None = given["checked_on"]
        values = {
            "id": given["id"],
            "title": {k: v for k, v in (("zh", given["title_zh"]), ("en", given["title_en"])) if v},
            "operator": given["operator"],
            "hosts": many(given["hosts"]),
            **{name: many(given[name]) for name in ("seals", "depositors")},
            "registration": given["registration"] or None,
            "checked_on": checked.isoformat() if checked else None,
        }
        return edits.platform(self.pack, values, known_as=self._known_as)

    def said(self) -> str:
        return str(_("存证平台 %(name)s") % {"name": self.cleaned_data["title_zh"]})


class RootForm(Edit):
    heading = _("根证书")
    purpose = forms.ChoiceField(label=_("用来核验什么"), widget=forms.RadioSelect)
    pem = lines(_("根证书（PEM）"), 10, help_text=_("粘贴后保存，主体、指纹和有效期会列在草案里供核对"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {
            "tsa/certs": _("可信时间戳"),
            "web/certs": _("网站证书（WACZ 域名签名）"),
            "seals/certs": _("电子印章（PDF 签名）"),
        }
        folders = {p.rsplit("/", 1)[0] for p in self.pack.members if p.endswith(".pem") and "/" in p and not p.startswith("consortium/")}
        purpose: Any = self.fields["purpose"]
        purpose.choices = [*known.items(), *((f, f) for f in sorted(folders - set(known)))]

    def clean_pem(self) -> str:
        certificate_in(self.cleaned_data["pem"])
        return str(self.cleaned_data["pem"])

    def members(self) -> Members:
        return edits.root(self.pack, self.cleaned_data["pem"], folder=self.cleaned_data["purpose"])

    def said(self) -> str:
        return str(_("根证书 %(name)s") % {"name": edits.certificate(self.cleaned_data["pem"])[0].common_name})


class RevocationListForm(Edit):
    heading = _("证书吊销列表")
    pem = lines(_("吊销列表（PEM）"), 10, help_text=_("以 -----BEGIN X509 CRL----- 开头；同一签发者原有的列表会被替换"))

    def clean_pem(self) -> str:
        if certificates.revocation_list(str(self.cleaned_data["pem"]).strip().encode()) is None:
            raise forms.ValidationError(_("这不是 PEM 格式的证书吊销列表。"))
        return str(self.cleaned_data["pem"])

    def members(self) -> Members:
        return edits.revocation_list(self.pack, self.cleaned_data["pem"])

    def said(self) -> str:
        found = certificates.revocation_list(self.cleaned_data["pem"].strip().encode())
        return str(_("证书吊销列表 %(name)s") % {"name": found.common_name if found else ""})


class PolicyForm(Edit):
    heading = _("核验策略")
    accept_d = lines(_("接受自证的平台"), 3, required=False, help_text=_("一行一个平台编号：只有平台自己服务的答复（D 级）时也可以得出“核验一致”"))
    accept_writer_defects = lines(_("容许的写入缺陷"), 3, required=False, help_text=_("一行一个缺陷编号"))
    tsa_policies = lines(_("接受的时间戳策略"), 3, required=False, help_text=_("一行一个 OID；不填则不限"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = self.pack.json(edits.POLICY)
        for name in ("accept_d", "accept_writer_defects", "tsa_policies"):
            self.fields[name].initial = "\n".join(held.get(name) or ())

    def prefilled(self) -> dict[str, Any]:
        return {}

    def members(self) -> Members:
        names = ("accept_d", "accept_writer_defects", "tsa_policies")
        return edits.policy(self.pack, {name: many(self.cleaned_data[name]) for name in names})

    def said(self) -> str:
        return str(_("核验策略"))


class MemberForm(Edit):
    """Any member as text: what has no form of its own."""

    heading = _("信任库的一个文件")
    path = line(_("路径"), max_length=PATH_MAX, help_text=_("例如 platforms.json、consortium/某链/validators.json"))
    text = lines(_("内容"), 20, required=False)

    def members(self) -> Members:
        text = self.cleaned_data["text"].replace("\r\n", "\n")
        return {self.cleaned_data["path"]: (text.rstrip("\n") + "\n").encode()}

    def said(self) -> str:
        return str(_("文件 %(name)s") % {"name": self.cleaned_data["path"]})


EDITS: Mapping[str, type[Edit]] = {
    "platform": PlatformForm,
    "chain": ChainForm,
    "epoch": EpochForm,
    "validator": ValidatorForm,
    "checkpoint": CheckpointForm,
    "org-root": OrgRootForm,
    "root": RootForm,
    "crl": RevocationListForm,
    "policy": PolicyForm,
    "member": MemberForm,
}
"""By the name in the address of the page."""
