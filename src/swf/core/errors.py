"""Every error of the system, on one page.

    SwfError
    |-- RetriableError           trying again can help
    |   |-- StorageError         a file cannot be written or read now (DiskFullError: until somebody makes room)
    |   |-- PayloadError         a payload crashed, hung, ran out of memory or wrote nothing
    |   `-- ServiceError         a server (broker, database, catalogue, batch system) did not answer as it should
    |-- FatalError               trying again cannot help; somebody has to change something
    |   |-- ConfigError          a setting is unknown, out of range or contradicts another
    |   |-- MessageError         a message cannot be accepted (see its subclasses)
    |   |-- DataError            a file is not what was announced, or not of the format
    |   |-- IllegalMoveError     a lifecycle does not allow this move from this state
    |   |-- UnknownNameError     nothing of that name is known here
    |   |-- QuestionError        a list is asked for what it does not have
    |   |-- ForbiddenError       who asks may not do that
    |   `-- BusyError            another process holds what this one needs
    `-- ExpiredError             the deadline passed before the work was done

A message says what happened, where, and what to do.
"""

from __future__ import annotations


class SwfError(Exception):
    """The root of every error that this package raises on purpose."""


class RetriableError(SwfError):
    """Trying the same thing again can help."""


class StorageError(RetriableError):
    """A file cannot be written or read now: disk full, read-only, or a server that does not answer."""


class DiskFullError(StorageError):
    """A file cannot be written before somebody makes room: the disk is full, or the quota is used up."""


class PayloadError(RetriableError):
    """A payload did not produce its result."""


class ServiceError(RetriableError):
    """A server did not answer as it should."""


class FatalError(SwfError):
    """Trying again cannot help."""


class ConfigError(FatalError):
    """A setting is unknown, out of range or contradicts another one."""


class MessageError(FatalError):
    """A message cannot be accepted."""


class MalformedMessageError(MessageError):
    """A message is not one flat JSON object of the expected fields."""


class UnknownTypeError(MessageError):
    """A message has a type that nobody here knows."""


class NewerSchemaError(MessageError):
    """A message was written for a newer schema than this program reads."""


class ForeignNamespaceError(MessageError):
    """A message belongs to another namespace."""


class DataError(FatalError):
    """A file is not what was announced, or not of the format."""


class IllegalMoveError(FatalError):
    """A lifecycle does not allow this move from this state."""


class UnknownNameError(FatalError):
    """Nothing of that name is known here."""


class QuestionError(FatalError):
    """A list is asked for what it does not have; `field` is the part of the question that is wrong."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class ForbiddenError(FatalError):
    """Who asks may not do that."""


class BusyError(FatalError):
    """Another process holds what this one needs."""


class ExpiredError(SwfError):
    """The deadline passed before the work was done."""
