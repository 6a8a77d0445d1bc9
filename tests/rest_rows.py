"""A store with a row of every kind that REST shows, in two namespaces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

from django.contrib.auth.models import User
from django.test import Client

from swf.core.work import WorkState
from swf.epic.models import DaqStateEvent, MonitoringHistogram
from swf.store.models import Alarm, AppLog, Dataset, DatasetFile, Event, Product, RunNote, WorkflowExecution
from swf.web.models import Grant
from swf.web.roles import Role
from taken_run import EXECUTION, NOW, RUN, TakenRun

OTHER_RUN = RUN + 1
OTHER_EXECUTION = "fast_processing-you-0001"
OTHER = "elsewhere"


def every_kind() -> TakenRun:
    """A run in namespace `testbed`, with its rows; and one in `elsewhere` with the same ones."""
    theirs = TakenRun(OTHER_RUN, execution=OTHER_EXECUTION, namespace=OTHER)
    _fill(theirs)
    ours = TakenRun(RUN, execution=EXECUTION)
    _fill(ours)
    return ours


def signed_in(name: str, grants: Mapping[str, Role]) -> Client:
    """A browser with the session of a new user, who has no password: to make the digest of one takes a second."""
    user = User.objects.create(username=name)
    for scope, role in grants.items():
        Grant.objects.create(user=user, role=role, scope=scope, granted_by="tester", granted_at=NOW)
    client = Client()
    client.force_login(user)
    return client


def _fill(run: TakenRun) -> None:
    secret = f"only in {run.namespace}"
    run.started()
    parameters = {"daq": {"stf_count": 2, "note": secret}, "testbed": {"namespace": run.namespace}}
    WorkflowExecution.objects.filter(pk=run.execution).update(
        parameter_values=parameters, parameter_origins={"daq.stf_count": "flag --stf-count"}
    )
    stf = run.stf(1, slice_count=2)
    sample = run.sample(stf)
    run.slice(sample, 0, completed_at=NOW)
    failed = run.slice(sample, 1, WorkState.FAILED, reason=secret)
    run.attempt(failed.name, 1, detail=secret, started_at=NOW - timedelta(seconds=5))
    run.event("start_run")
    run.event("fail", failed.name, message=False, after_s=1, note=secret)
    run.letter(reason=secret)
    role = f"worker_{run.namespace}"
    run.agent(role)
    log = {"namespace": run.namespace, "execution_id": run.execution, "run_number": run.number}
    AppLog.objects.create(
        app_name="worker",
        instance_name=f"{role}-agent-me-1",
        timestamp=NOW,
        levelname="ERROR",
        event="it_failed",
        extra_data=json.dumps({"why": secret}),
        **log,
    )
    Alarm.objects.create(
        namespace=run.namespace, key=f"stall.{run.number}", text=secret, run_number=run.number, raised_at=NOW
    )
    dataset = Dataset.objects.create(
        scope=run.namespace,
        name=f"swf.{run.number}.run",
        namespace=run.namespace,
        run_number=run.number,
        created_at=NOW,
    )
    DatasetFile.objects.create(dataset=dataset, name=stf.name, size_bytes=1000, adler32="0" * 8, attached_at=NOW)
    Product.objects.create(
        name=f"{stf.name}_slice_000_a1.json",
        namespace=run.namespace,
        run_number=run.number,
        kind="reference",
        location=f"{run.number}/x",
        size_bytes=5,
        adler32="0" * 8,
        sha256="0" * 64,
        made_from=stf.name,
        item=f"{stf.name.removesuffix('.stf')}_slice_000.tf",
        created_at=NOW,
    )
    DaqStateEvent.objects.create(
        namespace=run.namespace,
        revision=1,
        run_number=run.number,
        trigger="start_run",
        state="run",
        substate="physics",
        simulation_tick=1.5,
        at=NOW,
    )
    MonitoringHistogram.objects.create(run_id=run.number, subsystem="tracker", content={"x": [1]}, updated_at=NOW)
    RunNote.objects.create(
        namespace=run.namespace, run_number=run.number, author="ann", text=secret, verdict="good", created_at=NOW
    )


def last_event() -> int:
    """The number of the last event."""
    return Event.objects.order_by("-seq").values_list("seq", flat=True)[0] or 0
