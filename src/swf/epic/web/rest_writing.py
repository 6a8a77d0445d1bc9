"""What an operator, or an agent outside, does about runs: stop, try slices again, register STFs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field, ValidationError

from swf.core.codec import first_problems
from swf.core.errors import QuestionError
from swf.core.ids import Uuid7Source
from swf.epic.messages import StfGen
from swf.epic.usecases.lookup import find_run
from swf.epic.usecases.registration import MOST, Registered, register_stfs
from swf.epic.usecases.retries import RetryRequest, retry_slices
from swf.epic.usecases.runs import StopRequest, stop_run
from swf.service.queries.runs_seen import namespace_of_run
from swf.web.rest.answers import answered
from swf.web.rest.repeats import once
from swf.web.rest.values import Body, RunNumber, Wish, Word
from swf.web.rest.writes import Deed, done, who_asks
from swf.web.scene import scene_of
from swf.web.site import site

router = Router()


class Retry(Wish):
    """Which slices are tried once more."""

    slices: list[Word] = Field(
        default_factory=list, max_length=1000, description="Their names; none: all of the run that failed or expired."
    )


class StfFactsOf(Body):
    """An STF file that lies in the run's exit buffer."""

    filename: str = Field(max_length=200)
    sequence: int = Field(ge=1, le=999_999)
    tf_count: int = Field(ge=1, le=100_000)
    tf_first: int = Field(ge=0, le=2**53, description="The detector's number of its first TF.")
    size_bytes: int = Field(ge=0, le=2**53)
    adler32: str = Field(pattern="^[0-9a-f]{8}$")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    state: str = Field("", max_length=20, pattern=r"^[^\x00]*$", description="The DAQ's state.")
    substate: str = Field("", max_length=20, pattern=r"^[^\x00]*$")
    simulated: bool = False


class Registration(Body):
    """STFs of one run."""

    stfs: list[StfFactsOf] = Field(min_length=1, max_length=MOST)
    reason: str = Field("", max_length=4000, pattern=r"^[^\x00]*$", description="Why they come this way.")
    dry_run: bool = Field(False, description="Register nothing; the answer is what would be.")


@router.post(
    "/runs/{key}/stop",
    response=StopRequest,
    operation_id="stop_run",
    summary="Ask for the end of a run; it is closed by its ledger",
    tags=["runs"],
)
def stop(request: HttpRequest, key: RunNumber, body: Wish) -> HttpResponse:
    """Needs an operator. Where nothing runs, the wish is kept until its execution goes on."""
    scene, who = scene_of(request), who_asks(request)
    # Tried first: what may not be seen is not found, before anything is said of who may.
    stop_run(key, who, body.reason, scene, dry_run=True)
    asked = done(
        request,
        _deed("run.stop", key, body),
        lambda: stop_run(key, who, body.reason, scene, dry_run=body.dry_run),
        lambda now: {"execution": now.execution, "stop_requested_by": now.by},
    )
    return answered(request, asked.as_json())


@router.post(
    "/runs/{key}/retry",
    response=RetryRequest,
    operation_id="retry_slices",
    summary="Have slices of an open run tried once more that failed or expired",
    tags=["slices"],
)
def retry(request: HttpRequest, key: RunNumber, body: Retry) -> HttpResponse:
    """Needs an operator."""
    scene, who = scene_of(request), who_asks(request)
    find_run(key, scene.namespaces)
    asked = done(
        request,
        _deed("slices.retry", key, body),
        lambda: retry_slices(key, body.slices, who, body.reason, scene, dry_run=body.dry_run),
        lambda now: {"slices": list(now.slices[:100]), "number": len(now.slices)},
    )
    return answered(request, asked.as_json())


@router.post(
    "/runs/{key}/stf-files",
    response=Registered,
    operation_id="register_stf_files",
    summary="Register STFs for an agent that reaches neither the broker nor the database",
    tags=["STFs"],
)
def register(request: HttpRequest, key: RunNumber, body: Registration) -> HttpResponse:
    """Needs an operator. All of them or none; those that are there with the same content are passed over, so that a
    repeat does no harm. With the header Idempotency-Key, a repeat gets the first answer."""
    return once(request, lambda: _registered(request, key, body))


def _registered(request: HttpRequest, run_number: int, body: Registration) -> HttpResponse:
    scene, who = scene_of(request), who_asks(request)
    find_run(run_number, scene.namespaces)
    stfs = [_announced(run_number, index, stf) for index, stf in enumerate(body.stfs)]
    deed = Deed(
        action="stfs.register",
        subject=f"run {run_number}",
        namespace=namespace_of_run(run_number) or "",
        reason=body.reason,
        dry_run=body.dry_run,
    )
    ids = Uuid7Source(site().clock)
    found = done(
        request,
        deed,
        lambda: register_stfs(run_number, stfs, who, scene, ids, dry_run=body.dry_run),
        lambda now: {"registered": len(now.registered), "already": now.already},
    )
    return answered(request, found.as_json())


def _announced(run_number: int, index: int, stf: StfFactsOf) -> StfGen:
    """The facts as the DAQ's notice has them, with its checks.

    Raises:
        QuestionError: they do not fit together.
    """
    try:
        return _notice(run_number, stf)
    except ValidationError as error:
        raise QuestionError(f"stfs.{index}", first_problems(error)) from None


def _notice(run_number: int, stf: StfFactsOf) -> StfGen:
    return StfGen(
        run_id=run_number,
        filename=stf.filename,
        sequence=stf.sequence,
        tf_count=stf.tf_count,
        tf_first=stf.tf_first,
        size_bytes=stf.size_bytes,
        checksum=stf.adler32,
        sha256=stf.sha256,
        state=stf.state,
        substate=stf.substate,
        simulated=stf.simulated,
    )


def _deed(action: str, run_number: int, body: Wish) -> Deed:
    return Deed(
        action=action,
        subject=f"run {run_number}",
        namespace=namespace_of_run(run_number) or "",
        reason=body.reason,
        dry_run=body.dry_run,
    )
