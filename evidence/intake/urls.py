from django.urls import path

from . import uploads, views

app_name = "intake"
urlpatterns = [
    path("", views.start, name="start"),
    path("<uuid:draft_id>/uploads/", uploads.create, name="uploads"),
    path("<uuid:draft_id>/uploads/<uuid:upload_id>/", uploads.upload, name="upload"),
    path("<uuid:draft_id>/uploads/<uuid:upload_id>/digests/", uploads.digests, name="digests"),
    path("<uuid:draft_id>/uploads/<uuid:upload_id>/remove/", views.remove, name="remove"),
    path("<uuid:draft_id>/discard/", views.discard, name="discard"),
    path("<uuid:draft_id>/receipt/", views.show_receipt, name="receipt"),
    path("<uuid:draft_id>/receipt.pdf", views.receipt_pdf, name="receipt_pdf"),
    path("<uuid:draft_id>/<slug:name>/", views.step, name="step"),
]
