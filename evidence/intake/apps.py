from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "evidence.intake"
    label = "intake"
