"""Signing in and out (django-allauth), and the demonstration's door."""

from django.urls import include, path

urlpatterns = [
    path("", include("allauth.account.urls")),
]
