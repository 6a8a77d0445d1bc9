"""The monitor's own pages as a Django app."""

from django.apps import AppConfig


class MonitorConfig(AppConfig):
    """Front pages, login, accounts. It has no tables of its own."""

    name = "swf.monitor"
    label = "monitor"
