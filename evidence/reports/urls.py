from django.urls import path

from . import views

app_name = "reports"
urlpatterns = [
    path("issue/<uuid:case_id>/", views.issue, name="issue"),
    path("check/", views.check, name="check"),
    path("<uuid:public_id>/", views.report, name="report"),
    path("<uuid:public_id>/state/", views.state, name="state"),
    path("<uuid:public_id>/download/", views.download, name="download"),
    path("<uuid:public_id>/again/", views.again, name="again"),
    path("<uuid:public_id>/release/", views.release, name="release"),
]
