"""The pages with the lists of what belongs to no instrument."""

from __future__ import annotations

from typing import Final

from swf.monitor.pages import columns
from swf.service.queries.agents import AGENTS
from swf.service.queries.datasets import DATASETS
from swf.service.queries.dead_letters import LETTERS
from swf.service.queries.events import MESSAGES
from swf.service.queries.executions import EXECUTIONS
from swf.service.queries.logs import LOGS
from swf.service.queries.products import PRODUCTS
from swf.web.lists import ListPage

MESSAGES_PAGE: Final = ListPage(
    path="/messages",
    title="Messages",
    listing=MESSAGES,
    columns=columns.MESSAGE_COLUMNS,
    first=("run", "type", "sender", "namespace"),
    empty="No message was sent yet. Agents and the DAQ send them when a run is taken.",
    template="swf/messages.html",
    more=lambda request, scene: {"tailed": "cursor" not in request.GET and request.GET.get("sort", "-seq") == "-seq"},
)

LIST_PAGES: Final = (
    ListPage(
        path="/executions",
        title="Executions",
        listing=EXECUTIONS,
        columns=columns.EXECUTION_COLUMNS,
        first=("status", "workflow", "executed_by", "run"),
        empty="No workflow was executed yet. testbed run fast_processing executes one.",
    ),
    MESSAGES_PAGE,
    ListPage(
        path="/agents",
        title="Agents",
        listing=AGENTS,
        columns=columns.AGENT_COLUMNS,
        first=("role", "status", "state", "namespace"),
        empty="No agent was ever started here. testbed run, or testbed up, starts them.",
    ),
    ListPage(
        path="/logs",
        title="Logs",
        listing=LOGS,
        columns=columns.LOG_COLUMNS,
        first=("search", "level", "agent", "run"),
        empty="No line was logged yet.",
    ),
    ListPage(
        path="/datasets",
        title="Datasets",
        listing=DATASETS,
        columns=columns.DATASET_COLUMNS,
        first=("name", "state", "run"),
        empty="No dataset is there yet. Each run has one for its STFs.",
    ),
    ListPage(
        path="/products",
        title="Products",
        listing=PRODUCTS,
        columns=columns.PRODUCT_COLUMNS,
        first=("name", "run", "kind"),
        empty="Nothing was produced yet. Workers make a product of each slice.",
    ),
    ListPage(
        path="/dead-letters",
        title="Dead letters",
        listing=LETTERS,
        columns=columns.LETTER_COLUMNS,
        first=("state", "role", "type", "run"),
        empty="No message is here: every one could be handled.",
    ),
)
