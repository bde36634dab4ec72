from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "evidence.exports"
    label = "exports"
