from django.urls import path

from . import choosing, views

_PAIR = "compare/<uuid:public_id>/<int:position>/<int:number>/<uuid:other_id>/<int:other_position>/<int:other_number>/"
urlpatterns = [
    path("of-case/<uuid:public_id>/compare/", choosing.choose, name="compare_choose"),
    path(_PAIR, views.compare, name="compare"),
    path(_PAIR + "<int:nth>/<slug:which>.png", views.picture, name="compare_picture"),
]
