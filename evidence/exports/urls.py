from django.urls import path

from . import views, views_batches

app_name = "exports"
urlpatterns = [
    path("of/<uuid:case_id>/", views.of_case, name="of_case"),
    path("choose/<uuid:case_id>/", views.choose, name="choose"),
    path("make/<uuid:case_id>/", views.make, name="make"),
    path("reports/of/<uuid:case_id>/", views_batches.order, name="order_reports"),
    path("reports/<uuid:public_id>/", views_batches.batch, name="batch"),
    path("reports/<uuid:public_id>/state/", views_batches.state, name="batch_state"),
    path("reports/<uuid:public_id>/retry/", views_batches.retry, name="batch_retry"),
    path("<uuid:public_id>/", views.export, name="export"),
    path("<uuid:public_id>/state/", views.state, name="state"),
    path("<uuid:public_id>/again/", views.again, name="again"),
    path("<uuid:public_id>/download/", views.download, name="download"),
]
