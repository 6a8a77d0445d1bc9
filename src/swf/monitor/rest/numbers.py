"""Numbers for programs outside: runs, agents and executions that they name themselves."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from swf.service.numbers import GivenNumber, give_number, give_run_number
from swf.service.workspace import Workspace
from swf.storage.high_water import HighWater
from swf.store.counters import peek
from swf.web.rest.answers import answered
from swf.web.rest.lists import refuse_unknown
from swf.web.rest.repeats import once
from swf.web.rest.values import Body, Text
from swf.web.rest.writes import Deed, done
from swf.web.site import site

router = Router(tags=["counters"])

_NAME = r"^[A-Za-z0-9_]{1,64}$"


class ForNumber(Body):
    """Who needs a number."""

    namespace: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", description="Where it will be used.")
    reason: Text = Field(description="What for; it is kept.")
    dry_run: bool = Field(False, description="Give none out; the answer is the one that would be given.")


class ForExecution(ForNumber):
    """Who needs the number of an execution."""

    workflow: str = Field(pattern=_NAME, description="Its workflow.")
    user: str = Field(pattern=_NAME, description="Whose it is.")


class NextNumbers(Schema):
    """The numbers that would be given out next."""

    run: int
    agent: int


@router.get(
    "/counters", response=NextNumbers, operation_id="show_counters", summary="The numbers that would be given out next"
)
def show(request: HttpRequest) -> HttpResponse:
    """Nothing is given out."""
    refuse_unknown(request, {})
    return answered(request, {"run": peek("run", _highest().read()), "agent": peek("agent")})


@router.post(
    "/counters/run/next",
    response=GivenNumber,
    operation_id="next_run_number",
    summary="Give a run number out; nobody else gets it",
)
def next_run(request: HttpRequest, body: ForNumber) -> HttpResponse:
    """Needs an operator. With the header Idempotency-Key, a repeat gets the same number."""
    return _given(request, body, lambda: give_run_number(_highest(), dry_run=body.dry_run))


@router.post(
    "/counters/agent/next",
    response=GivenNumber,
    operation_id="next_agent_id",
    summary="Give the number of an agent out; nobody else gets it",
)
def next_agent(request: HttpRequest, body: ForNumber) -> HttpResponse:
    """Needs an operator. With the header Idempotency-Key, a repeat gets the same number."""
    return _given(request, body, lambda: give_number("agent", dry_run=body.dry_run))


@router.post(
    "/counters/execution/next",
    response=GivenNumber,
    operation_id="next_execution_id",
    summary="Give the number of an execution out; nobody else gets it",
)
def next_execution(request: HttpRequest, body: ForExecution) -> HttpResponse:
    """Needs an operator. With the header Idempotency-Key, a repeat gets the same number."""
    counter = f"execution:{body.workflow}:{body.user}"
    return _given(request, body, lambda: give_number(counter, dry_run=body.dry_run))


def _highest() -> HighWater:
    return HighWater(Workspace(root=site().data_dir).highest_run)


def _given(request: HttpRequest, body: ForNumber, give: Callable[[], GivenNumber]) -> HttpResponse:
    def act() -> HttpResponse:
        deed = Deed(
            action="number.give",
            subject="a number",
            namespace=body.namespace,
            reason=body.reason,
            dry_run=body.dry_run,
        )
        return answered(request, done(request, deed, give, lambda given: given.as_json()).as_json())

    return once(request, act)
