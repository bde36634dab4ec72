from django.urls import path

from . import repeating, search, timelines, views
from .comparison.urls import urlpatterns as comparison
from .display import pages as safe
from .rendering import views as rendering

app_name = "captures"
urlpatterns = [
    path("<uuid:public_id>/find/", search.exhibit, name="find"),
    path("of-case/<uuid:public_id>/find/", search.case, name="find_in_case"),
    path("of-case/<uuid:public_id>/timeline/", timelines.case, name="timeline"),
    path("<uuid:public_id>/captures/<int:position>/again/", repeating.again, name="again"),
    path("<uuid:public_id>/captures/<int:position>/<int:number>/", views.capture, name="capture"),
    path("<uuid:public_id>/captures/<int:position>/<int:number>/<int:view>.png", views.picture, name="picture"),
    path("<uuid:public_id>/captures/<int:position>/<int:number>/render/", rendering.ask, name="render"),
    path("<uuid:public_id>/captures/<int:position>/<int:number>/court-render.png", rendering.picture, name="render_picture"),
    path("<uuid:public_id>/captures/<int:position>/<int:number>/safe/", safe.page, name="safe"),
    path("<uuid:public_id>/captures/<int:position>/<int:number>/safe/alone/", safe.alone, name="safe_alone"),
    *comparison,
]
