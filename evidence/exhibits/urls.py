from django.urls import path

from . import views

app_name = "exhibits"
urlpatterns = [
    path("<uuid:public_id>/", views.exhibit, name="exhibit"),
    path("<uuid:public_id>/progress/", views.progress, name="progress"),
    path("<uuid:public_id>/verify/", views.verify, name="verify"),
    path("<uuid:public_id>/statements/", views.state, name="state"),
    path("<uuid:public_id>/files/<int:position>/", views.file, name="file"),
]
