"""An error as an answer: a status and two texts. REST writes it as `application/problem+json`, pages as a page."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from swf.core.errors import (
    BusyError,
    ConfigError,
    DataError,
    ExpiredError,
    ForbiddenError,
    IllegalMoveError,
    MessageError,
    QuestionError,
    RetriableError,
    SwfError,
    UnknownNameError,
)

MEDIA_TYPE: Final = "application/problem+json"

_STATUSES: Final = (
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (UnknownNameError, HTTPStatus.NOT_FOUND),
    (IllegalMoveError, HTTPStatus.CONFLICT),
    (BusyError, HTTPStatus.CONFLICT),
    (ExpiredError, HTTPStatus.CONFLICT),
    (QuestionError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ConfigError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (MessageError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (DataError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (RetriableError, HTTPStatus.SERVICE_UNAVAILABLE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong. Source: RFC 9457."""

    status: int
    title: str
    detail: str
    kind: str = ""
    """The class of the error, where it was raised on purpose."""

    def as_json(self) -> dict[str, Any]:
        """The members of RFC 9457; `kind` is an extension."""
        made: dict[str, Any] = {"type": "about:blank", "status": self.status, "title": self.title}
        return made | {key: value for key, value in (("detail", self.detail), ("kind", self.kind)) if value}


def problem(status: int, detail: str = "", kind: str = "") -> Problem:
    """The problem of an HTTP status."""
    return Problem(status=status, title=HTTPStatus(status).phrase, detail=detail, kind=kind)


def problem_of(error: SwfError) -> Problem:
    """What an error is as an answer."""
    status = next((code for kind, code in _STATUSES if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
    return problem(status, str(error), type(error).__name__)
