"""Everything that the store keeps."""

from swf.store.models.agents import Alarm, AppLog, SystemAgent
from swf.store.models.datasets import Dataset, DatasetFile
from swf.store.models.delivery import DeadLetter, InboxEntry, OutboxMessage, RoleCursor
from swf.store.models.events import Event, WorkflowMessage
from swf.store.models.notes import RunNote
from swf.store.models.runs import Counter, Run, WorkflowDefinition, WorkflowExecution
from swf.store.models.work import Attempt, Product, WorkItem

__all__ = [
    "Alarm",
    "AppLog",
    "Attempt",
    "Counter",
    "Dataset",
    "DatasetFile",
    "DeadLetter",
    "Event",
    "InboxEntry",
    "OutboxMessage",
    "Product",
    "RoleCursor",
    "Run",
    "RunNote",
    "SystemAgent",
    "WorkItem",
    "WorkflowDefinition",
    "WorkflowExecution",
    "WorkflowMessage",
]
