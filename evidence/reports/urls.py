from django.urls import path

from . import public, public_file, views, views_decide, views_keys, views_parts, views_upkeep

app_name = "reports"
urlpatterns = [
    path("check/", public.check, name="check"),
    path("check/file/", public_file.file, name="check_file"),
    path("check/proof/<slug:sha256>/", public_file.proof, name="check_proof"),
    path("keys/", views_keys.index, name="keys"),
    path("keys/<slug:certificate>/", views_keys.key, name="key"),
    path("keys/<slug:certificate>/reports.csv", views_keys.key_csv, name="key_csv"),
    path("upkeep/", views_upkeep.index, name="upkeep"),
    path("order/<uuid:case_id>/", views.order, name="order"),
    path("issue/<uuid:case_id>/", views.issue, name="issue"),
    path("of/<uuid:case_id>/", views.of_case, name="of_case"),
    path("<uuid:public_id>/", views.report, name="report"),
    path("<uuid:public_id>/state/", views.state, name="state"),
    path("<uuid:public_id>/download/", views.download, name="download"),
    path("<uuid:public_id>/volume/<int:number>/", views_parts.volume, name="volume"),
    path("<uuid:public_id>/bundle/", views_parts.bundle_of, name="bundle"),
    path("<uuid:public_id>/draft/", views.draft, name="draft"),
    path("<uuid:public_id>/difference/", views_decide.difference, name="difference"),
    path("<uuid:public_id>/approve/", views_decide.approve, name="approve"),
    path("<uuid:public_id>/give-back/", views_decide.give_back, name="give_back"),
    path("<uuid:public_id>/sign/", views_decide.sign, name="sign"),
    path("<uuid:public_id>/release/", views_decide.release, name="release"),
    path("<uuid:public_id>/discard/", views_decide.discard, name="discard"),
    path("<uuid:public_id>/again/", views_decide.again, name="again"),
    path("<uuid:public_id>/ask-revoke/", views_decide.ask_revoke, name="ask_revoke"),
    path("<uuid:public_id>/drop-revoke/", views_decide.drop_revoke, name="drop_revoke"),
    path("<uuid:public_id>/revoke/", views_decide.revoke, name="revoke"),
]
