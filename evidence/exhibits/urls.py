from django.urls import path

app_name = "exhibits"
urlpatterns: list = []
