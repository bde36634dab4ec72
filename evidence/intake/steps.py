"""The order of the form's pages, and what a draft still lacks. A draft's answers are judged anew each time: a right that
ended or a case that changed since counts."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.models import Membership

from . import standing
from .forms import DescriptionForm, PreChainForm, PurposeForm
from .models import Draft, Upload


@dataclass(frozen=True, slots=True)
class Step:
    """`done` says whether the draft needs nothing more here. An `optional` page is shown on the way; nothing has to be written on it."""

    name: str
    title: str | Promise
    done: Callable[[Draft], bool]
    optional: bool = False


def membership(draft: Draft) -> Membership | None:
    """The standing the person chose, if it still holds."""
    if draft.case is None:
        return None
    chosen = draft.answers.get("who", {}).get("membership")
    return next((m for m in standing.memberships(draft.user, draft.case) if str(m.pk) == chosen), None)


def files(draft: Draft) -> list[Upload]:
    """What would be handed in now."""
    return list(draft.uploads.filter(state=Upload.State.ARRIVED))


def _files_done(draft: Draft) -> bool:
    states = set(draft.uploads.values_list("state", flat=True))
    return Upload.State.ARRIVED in states and Upload.State.ARRIVING not in states


def _prechain_done(draft: Draft) -> bool:
    answers = draft.answers.get("prechain")
    return answers is not None and PreChainForm(answers).is_valid()


STEPS: tuple[Step, ...] = (
    Step("case", _("案号"), lambda draft: draft.case is not None),
    Step("who", _("您的身份"), lambda draft: membership(draft) is not None),
    Step("what", _("提交什么"), lambda draft: DescriptionForm(draft.answers.get("what", {})).is_valid()),
    Step("files", _("选择文件"), _files_done),
    Step("prechain", _("上链前的情况"), _prechain_done, optional=True),
    Step("purpose", _("证明对象"), lambda draft: PurposeForm(draft.answers.get("purpose", {})).is_valid()),
    Step("check", _("核对"), lambda draft: False),
    Step("declare", _("确认并提交"), lambda draft: False),
)
COUNT = len(STEPS) + 1
"""The receipt is the last page."""
NAMES = tuple(step.name for step in STEPS)


def first_open(draft: Draft) -> Step:
    """The page where the person goes on: the first that lacks an answer, else the one that shows them all."""
    return next(step for step in STEPS if not step.done(draft))


def reachable(draft: Draft, name: str) -> bool:
    """Pages up to the first open one; from the overview also the last."""
    reached = NAMES.index(first_open(draft).name)
    return NAMES.index(name) <= (reached + 1 if NAMES[reached] == "check" else reached)


def missing(draft: Draft) -> list[Step]:
    """The pages whose answers a submission needs and does not have, or has wrongly."""
    asked = [step for step in STEPS[: NAMES.index("check")] if not step.optional or step.name in draft.answers]
    return [step for step in asked if not step.done(draft)]


def after(name: str) -> Step:
    return STEPS[NAMES.index(name) + 1]


def before(name: str) -> Step | None:
    index = NAMES.index(name)
    return STEPS[index - 1] if index else None


def number(name: str) -> int:
    return NAMES.index(name) + 1
