from django.urls import path

from . import views

app_name = "captures"
urlpatterns = [
    path("<uuid:public_id>/captures/<int:position>/<int:number>/", views.capture, name="capture"),
    path("<uuid:public_id>/captures/<int:position>/<int:number>/<int:view>.png", views.picture, name="picture"),
]
