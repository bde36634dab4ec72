"""The sign-in page, and the demonstration's door."""

from typing import Any

from allauth.account.views import LoginView
from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from .demonstration import PEOPLE, Person
from .models import User


class SignIn(LoginView):
    """allauth's page with the court's words; in the demonstration it also lists the people one may be."""

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.fields["login"].label = _("账号")
        form.fields["password"].label = _("密码")
        form.fields["password"].help_text = ""
        if "remember" in form.fields:
            form.fields["remember"].label = _("在这台设备上保持登录")
        return form

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(people=_people(), next=self.request.GET.get("next", ""), **kwargs)


sign_in = sensitive_post_parameters("password")(SignIn.as_view())


@require_POST
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the demonstration's people. Exists in the demonstration only; elsewhere it is absent (404)."""
    if not settings.PORTAL_DEMO:
        raise Http404
    username = request.POST.get("person", "")
    if username not in {person.username for person in PEOPLE}:
        raise Http404
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise Http404
    login(request, user)
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(target)
    return redirect(resolve_url(settings.LOGIN_REDIRECT_URL))


def _people() -> list[Person]:
    if not settings.PORTAL_DEMO:
        return []
    names = [person.username for person in PEOPLE]
    present = set(User.objects.filter(username__in=names, is_active=True).values_list("username", flat=True))
    return [person for person in PEOPLE if person.username in present]
