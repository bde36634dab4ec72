from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "evidence.runs"
    label = "runs"
