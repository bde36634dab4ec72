from django.apps import AppConfig


class ComparisonConfig(AppConfig):
    name = "evidence.captures.comparison"
    label = "captures_comparison"
