from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    name = "evidence.connectors"
    label = "connectors"
