"""`testbed doctor`: what the testbed stands on, and what to do where something is wrong."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swf.cli.exit_codes import ExitCode
from swf.cli.options import DEFAULT_DATA_DIR, ConfigFile, DataDir, JsonFlag, ModeOption, RunNamespace, Settings, Verbose
from swf.cli.output import emit, error_console, say, show
from swf.cli.session import django_apps, instruments_here, mode_override, sources_of, workspace_of
from swf.core.errors import ConfigError
from swf.core.ids import Uuid7Source
from swf.core.modes import Mode
from swf.core.times import SystemClock

if TYPE_CHECKING:
    from swf.service.doctor.examination import Patient
    from swf.service.doctor.finding import Finding
    from swf.service.doctor.loss_plan import Tally

_WIDTH = 16


def doctor(
    chaos: Annotated[
        bool, typer.Option("--chaos", help="A short loss test on your broker instead, under a namespace of its own.")
    ] = False,
    messages: Annotated[
        int, typer.Option("--messages", min=10, max=1_000_000, metavar="N", help="With --chaos: so many.")
    ] = 2000,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, metavar="N", help="With --chaos: which messages are sent twice.")
    ] = None,
    config: ConfigFile = None,
    settings: Settings = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: RunNamespace = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Look at Python, packages, clock, data directory, database, broker and agents, and say of each what was found and
    what to do. The exit code is 0 where nothing has failed, else 1.

    With --chaos: messages, marked DOCTOR and SIMULATED, are sent while their consumer is lost again and again and some
    are sent twice; it says how many were lost, done twice or recovered, and leaves nothing behind.
    """
    patient = _patient(config, settings, data_dir, mode, namespace)
    with contextlib.suppress(ConfigError):  # it is said of the database, in its place
        say(patient.installation.in_words)
    code = _chaos(patient, messages, seed, as_json=as_json) if chaos else _look(patient, as_json=as_json)
    raise typer.Exit(code)


def _patient(
    config: Path | None, settings: list[str] | None, data_dir: Path, mode: Mode | None, namespace: str | None
) -> Patient:
    from swf.config import Override, TestbedSection, load_sections
    from swf.epic.settings_daq import ExitBufferSection
    from swf.service.doctor.examination import Patient
    from swf.service.doctor.place import BufferPlan
    from swf.service.mode import installation
    from swf.service.settings import PLATFORM_SECTIONS

    overrides = list(mode_override(mode))
    if namespace is not None:
        overrides.append(Override(key="testbed.namespace", value=namespace, flag="--namespace"))
    installed = instruments_here()
    loaded = load_sections(
        (*PLATFORM_SECTIONS, TestbedSection, ExitBufferSection),
        kinds=[kind for instrument in installed for kind in instrument.kinds],
        shipped=[instrument.workflows for instrument in installed],
        sources=sources_of(config, settings, overrides, data_dir=data_dir),
    )
    workspace, buffer = workspace_of(data_dir), loaded.section(ExitBufferSection)
    return Patient(
        workspace=workspace,
        installation=installation(loaded),
        namespace=loaded.section(TestbedSection).namespace,
        buffer=BufferPlan(
            folder=buffer.path or workspace.exit_buffer, capacity_bytes=int(buffer.capacity_gb * 1_000_000_000)
        ),
        django_apps=tuple(django_apps()),
    )


def _look(patient: Patient, *, as_json: bool) -> ExitCode:
    from swf.service.doctor.examination import examine
    from swf.service.doctor.finding import Verdict

    clock = SystemClock()
    findings = []
    for finding in examine(patient, clock, Uuid7Source(clock)):
        findings.append(finding)
        if not as_json:
            show(*_lines(finding))
    healthy = all(finding.verdict is not Verdict.FAILED for finding in findings)
    if as_json:
        emit(
            {
                "mode": patient.installation.mode,
                "healthy": healthy,
                "findings": [finding.as_json() for finding in findings],
            }
        )
    else:
        numbers = [f"{sum(each.verdict is verdict for each in findings)} {verdict}" for verdict in Verdict]
        say(", ".join(numbers))
    return ExitCode.DONE if healthy else ExitCode.FAILED


def _lines(finding: Finding) -> list[str]:
    line = f"{finding.verdict:<8} {finding.subject:<{_WIDTH}} {finding.found}"
    return [line, *([f"{'':<{_WIDTH + 9}} do: {finding.advice}"] if finding.advice else [])]


def _chaos(patient: Patient, messages: int, seed: int | None, *, as_json: bool) -> ExitCode:
    from swf.service.doctor.examination import loss_test
    from swf.service.doctor.loss_plan import LossPlan

    clock = SystemClock()
    plan = LossPlan.of(messages, secrets.randbelow(2**31) if seed is None else seed)
    say(
        f"DOCTOR: {messages} SIMULATED messages to {patient.surgery.topic}, the consumer lost {plan.drops} times, "
        f"{plan.repeated:.0%} sent twice where the bus takes that; seed {plan.seed}"
    )
    with error_console().status("") as status:
        tally = loss_test(
            patient, plan, clock, Uuid7Source(clock), lambda done, of: status.update(f"{done} of {of} recorded")
        )
    if as_json:
        emit({"mode": patient.installation.mode, **tally.as_json()})
    else:
        show(*_tally_lines(tally))
    return ExitCode.DONE if tally.passed else ExitCode.FAILED


def _tally_lines(tally: Tally) -> list[str]:
    return [
        *([f"unsent      {tally.unsent}: the broker did not take them"] if tally.unsent else []),
        f"lost        {tally.lost} of {tally.sent}",
        f"duplicated  {tally.duplicated}: took effect more than once",
        f"recovered   {tally.recovered}: in hand when the consumer was lost ({tally.drops} times), took effect once",
        f"unexpected  {tally.unexpected}",
        f"repeats     {tally.ended_in_the_inbox} ended in the inbox; {tally.sent_twice} messages were sent twice",
        f"rate        {tally.rate:.0f} messages/s over {tally.seconds:.1f} s, reconnections included",
        "passed" if tally.passed else f"FAILED; once more with the same choices: --seed {tally.seed}",
    ]
