"""Signing in and out (django-allauth), and the demonstration's door.

Only the pages that the court offers are here. Resetting a password by e-mail is not: the court has no proof that an
address is the party's, so it resets passwords itself.
"""

from allauth.account import views as allauth
from django.urls import path

from . import views

urlpatterns = [
    path("login/", views.sign_in, name="account_login"),
    path("logout/", allauth.logout, name="account_logout"),
    path("signup/", allauth.signup, name="account_signup"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("password/change/", allauth.password_change, name="account_change_password"),
    path("password/set/", allauth.password_set, name="account_set_password"),
    path("demonstration/", views.demo_sign_in, name="demo_sign_in"),
]
