"""The demonstration court: its people, two cases, and who belongs to which."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from cases.models import Case, Court, Membership, Office, Party, Role, Side
from portal.people.demonstration import PEOPLE
from portal.people.models import User

CASE_NUMBER = "（2026）川01民初123号"
EMPTY_CASE_NUMBER = "（2026）川01民初124号"
MANDATE_DAYS = 180


@transaction.atomic
def ensure() -> Case:
    """Make what is missing; safe to repeat. Returns the case with the evidence."""
    court, _ = Court.objects.get_or_create(
        code="川01",
        defaults={"name_zh": "演示中级人民法院", "name_en": "Demonstration Intermediate Court", "source": "demonstration"},
    )
    people = {person.username: _account(person.username, person.name, person.court_staff) for person in PEOPLE}
    Office.give(people["sysadmin"], Office.Post.SYSADMIN)
    Office.give(people["auditor"], Office.Post.AUDITOR)
    case = _case(CASE_NUMBER, court, 123, "侵害作品信息网络传播权纠纷")
    plaintiff = _party(case, Side.PLAINTIFF, people["plaintiff"].full_name)
    defendant = _party(case, Side.DEFENDANT, people["defendant"].full_name)
    _member(case, people["judge"], Role.PRESIDING_JUDGE, Side.COURT)
    _member(case, people["clerk"], Role.CLERK, Side.COURT)
    _member(case, people["assistant"], Role.JUDGE_ASSISTANT, Side.COURT)
    _member(case, people["plaintiff"], Role.LITIGANT, Side.PLAINTIFF, plaintiff)
    _member(case, people["agent"], Role.AGENT, Side.PLAINTIFF, plaintiff, days=MANDATE_DAYS)
    _member(case, people["defendant"], Role.LITIGANT, Side.DEFENDANT, defendant)
    empty = _case(EMPTY_CASE_NUMBER, court, 124, "不正当竞争纠纷")
    _member(empty, people["judge"], Role.PRESIDING_JUDGE, Side.COURT)
    _member(empty, people["clerk"], Role.CLERK, Side.COURT)
    return case


def _account(username: str, name: str, staff: bool) -> User:
    user, made = User.objects.get_or_create(
        username=username, defaults={"full_name": name, "court_staff": staff}
    )
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def _case(number: str, court: Court, sequence: int, cause: str) -> Case:
    case, _ = Case.objects.get_or_create(
        number=number,
        defaults={
            "year": 2026,
            "court_code": court.code,
            "case_type": "民初",
            "sequence": sequence,
            "court": court,
            "cause": cause,
        },
    )
    return case


def _party(case: Case, side: Side, name: str) -> Party:
    party, _ = Party.objects.get_or_create(case=case, side=side, position=1, defaults={"name": name})
    return party


def _member(
    case: Case, user: User, role: Role, side: Side, party: Party | None = None, *, days: int | None = None
) -> None:
    end = timezone.now() + timedelta(days=days) if days else None
    Membership.objects.get_or_create(
        case=case, user=user, role=role, side=side, defaults={"party": party, "valid_to": end}
    )
