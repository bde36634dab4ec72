from django.urls import path

from . import views

app_name = "exports"
urlpatterns = [
    path("of/<uuid:case_id>/", views.of_case, name="of_case"),
    path("choose/<uuid:case_id>/", views.choose, name="choose"),
    path("make/<uuid:case_id>/", views.make, name="make"),
    path("<uuid:public_id>/", views.export, name="export"),
    path("<uuid:public_id>/state/", views.state, name="state"),
    path("<uuid:public_id>/again/", views.again, name="again"),
    path("<uuid:public_id>/download/", views.download, name="download"),
]
