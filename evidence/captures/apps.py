from django.apps import AppConfig


class CapturesConfig(AppConfig):
    name = "evidence.captures"
    label = "captures"
