"""`testbed plan`: what a workflow asks of its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from swf.cli.launching import Order, configured
from swf.cli.options import (
    DEFAULT_DATA_DIR,
    ConfigFile,
    DataDir,
    JsonFlag,
    PeriodCount,
    Realtime,
    RunNamespace,
    Settings,
    StfCount,
    Verbose,
)
from swf.cli.output import emit, show
from swf.cli.session import cores_here
from swf.core.figures import duration

if TYPE_CHECKING:
    from swf.epic.plan import Plan, Supply
    from swf.epic.usecases.planning import WorkflowPlan

Rate = Annotated[float | None, typer.Option("--rate", metavar="R", help="STFs per second, for the configured period.")]
Workers = Annotated[int | None, typer.Option("--workers", metavar="N", help="Workers that are asked for.")]
SliceTime = Annotated[float | None, typer.Option("--slice-time", metavar="S", help="Seconds that a slice takes.")]
Sampling = Annotated[float | None, typer.Option("--sampling-rate", metavar="F", help="Fraction of STFs sampled.")]


def plan(
    workflow: Annotated[str | None, typer.Argument(metavar="[WORKFLOW]", help="A workflow, by name or file.")] = None,
    rate: Rate = None,
    workers: Workers = None,
    slice_time: SliceTime = None,
    sampling_rate: Sampling = None,
    config: ConfigFile = None,
    settings: Settings = None,
    stf_count: StfCount = None,
    physics_period_count: PeriodCount = None,
    realtime: Realtime = None,
    namespace: RunNamespace = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """The capacity that a workflow needs: what is sampled, the workers for real time, and the backlog that fewer leave,
    with the time that it takes to drain."""
    from swf.epic.usecases.planning import plan_workflow

    order = Order(
        workflow=workflow,
        config=config,
        settings=tuple(settings or ()),
        stf_count=stf_count,
        physics_period_count=physics_period_count,
        realtime=realtime,
        namespace=namespace,
        data_dir=data_dir,
    )
    planned = plan_workflow(
        configured(order, default="fast_processing").configuration,
        cores=cores_here(),
        rate=rate,
        workers=workers,
        slice_time_s=slice_time,
        sampling_rate=sampling_rate,
    )
    if as_json:
        emit(planned.as_json())
    else:
        show(*_lines(planned))


def _lines(planned: WorkflowPlan) -> list[str]:
    stfs = "STFs until it is stopped" if planned.stf_count is None else f"{planned.stf_count} STFs"
    rate = planned.stf_rate
    lines = [f"{planned.workflow} ({planned.kind}): {stfs}, one every {1 / rate:.3g} s ({rate:.4g}/s)"]
    if planned.plan is not None:
        lines += _figures(planned.plan)
    return [*lines, *(f"- {line}" for line in planned.advice)]


def _figures(plan: Plan) -> list[str]:
    demand = plan.demand
    sampled = "" if plan.stfs_sampled is None else f": {plan.stfs_sampled} STFs, {plan.slices} slices"
    return [
        f"  sampled          {demand.sampling_rate:.3g} of the STFs, {demand.slices_per_sample} slices each{sampled}",
        f"  offered          {plan.slices_per_s:.4g} slices/s of {demand.slice_time_s:g} s each",
        f"  workers needed   {plan.workers_needed} for real time",
        f"  {_supply('here', plan.available)}",
        f"  {_supply('asked for', plan.target)}",
    ]


def _supply(name: str, supply: Supply) -> str:
    text = (
        f"{name:<16} {supply.workers} workers, {supply.slices_per_s:.4g} slices/s, utilisation {supply.utilisation:.3g}"
    )
    if supply.backlog and supply.drain_s is not None:
        text += f", backlog {supply.backlog:.0f} slices, drained in {duration(supply.drain_s)}"
    return text
