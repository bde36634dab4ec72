"""Guardian's rows follow from memberships; nothing else writes them."""

from guardian.shortcuts import assign_perm, remove_perm

from ..models import Case, CaseUserPermission, Membership


def sync(case_id: int, user_id: int) -> None:
    """Make the row of one user on one case equal f(memberships). Runs in the transaction that changed the membership.

    A row means "has a membership"; whether that membership is valid now is asked live by every query.
    """
    from django.contrib.auth import get_user_model

    case = Case.objects.get(pk=case_id)
    user = get_user_model().objects.get(pk=user_id)
    member = Membership.objects.filter(case_id=case_id, user_id=user_id).exists()
    if member:
        assign_perm("cases.view_case", user, case)
    elif CaseUserPermission.objects.filter(content_object_id=case_id, user_id=user_id).exists():
        remove_perm("cases.view_case", user, case)


def drift() -> list[tuple[int, int]]:
    """(case, user) pairs whose row does not equal f(memberships): must be empty."""
    rows = set(CaseUserPermission.objects.values_list("content_object_id", "user_id"))
    memberships = set(Membership.objects.values_list("case_id", "user_id"))
    return sorted(rows ^ memberships)
