from django.urls import path

from . import views

app_name = "connectors"
urlpatterns = [
    path("<uuid:public_id>/court-node/", views.ask, name="ask"),
    path("<uuid:public_id>/court-node/<int:number>/<int:position>/", views.source, name="source"),
]
