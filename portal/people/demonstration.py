"""The people of the demonstration court, and no others, may come in without a password (`views.demo_sign_in`).

The demonstration makes an account for each row; the sign-in page lists those that exist.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Person:
    """`title` and `sentence` are what the sign-in page says of a person; rights come from memberships, never from here."""

    username: str
    name: str
    court_staff: bool
    title: str | Promise
    sentence: str | Promise


PEOPLE: tuple[Person, ...] = (
    Person("judge", "沈明远", True, _("审判长"), _("三十秒看懂一件证据：结论、证明路径、时间，以及结论不说明什么。")),
    Person("clerk", "何书宁", True, _("书记员"), _("查看新提交的证据，重新核验，出具签名的核验报告。")),
    Person("assistant", "许文静", True, _("法官助理"), _("复核书记员生成的报告草稿；签发须由没有生成它的人进行。")),
    Person("sysadmin", "林致远", True, _("系统管理员"), _("维护信任库：拟定变更，由另一人批准；看不到任何案件内容。")),
    Person("auditor", "苏清和", True, _("审计/督察"), _("核对并批准信任库的变更；看不到任何案件内容。")),
    Person("plaintiff", "周晓", False, _("原告"), _("提交网页快照和存证证书，看自己的材料走到了哪一步。")),
    Person("agent", "唐一鸣", False, _("原告代理人"), _("在代理期限内替原告提交和查看证据。")),
    Person("defendant", "郑海", False, _("被告"), _("只看得到自己的证据和已经交换的证据。")),
)
