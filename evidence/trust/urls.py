from django.urls import path

from . import views

app_name = "trust"
urlpatterns = [
    path("", views.index, name="index"),
    path("packs/<slug:digest>/", views.pack, name="pack"),
    path("packs/<slug:digest>/file/", views.pack_file, name="pack_file"),
    path("drafts/start/", views.start, name="start"),
    path("drafts/<uuid:public_id>/", views.draft, name="draft"),
    path("drafts/<uuid:public_id>/file/", views.draft_file, name="draft_file"),
    path("drafts/<uuid:public_id>/edit/<slug:what>/", views.edit, name="edit"),
    path("drafts/<uuid:public_id>/remove/", views.remove, name="remove"),
    path("drafts/<uuid:public_id>/import/", views.bring, name="import"),
    path("drafts/<uuid:public_id>/decide/", views.decide, name="decide"),
]
