from django.urls import path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("cases/<uuid:public_id>/", views.case, name="case"),
    path("cases/<uuid:public_id>/delegations/", views.delegations, name="delegations"),
]
