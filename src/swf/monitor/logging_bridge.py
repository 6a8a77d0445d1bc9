"""What libraries say through Python's logging, as structured lines of the monitor's log."""

from __future__ import annotations

import logging
import traceback
from typing import Any

from swf.service.logs import Log


class Bridge(logging.Handler):
    """Passes records on."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as a line, with the request that it belongs to and the traceback where it has them."""
        fields: dict[str, Any] = {"logger": record.name, "text": record.getMessage()[:2000]}
        scope = getattr(getattr(record, "request", None), "scope", None)
        if scope is not None:
            fields["request"] = str(scope.get("swf.request_id", ""))
        if record.exc_info and record.exc_info[1] is not None:
            fields["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
        say = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        say("library", **fields)


def logging_configuration(log: Log) -> dict[str, Any]:
    """For `logging.config.dictConfig`: everything from warnings on goes to this log, and nowhere else."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"swf": {"()": lambda: Bridge(log)}},
        "root": {"handlers": ["swf"], "level": "WARNING"},
        # That a page was not found or not allowed, the access log says already.
        "loggers": {"django.request": {"level": "ERROR"}, "django.security": {"level": "ERROR"}},
    }
