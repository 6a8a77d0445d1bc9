"""Kinds of workflows that only the tests have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from swf.config import Configuration, LocalPath, PathList, Role, Section, SharedKey, TextList, WorkflowKind

Speed = Annotated[float, Field(gt=0, le=10)]


class EngineSection(Section):
    """An engine."""

    section: ClassVar[str] = "engine"

    speed: Speed = Field(1.0, description="Speed, in m/s.")
    count: int = Field(2, ge=1, le=1000, description="Number of engines.")
    label: str = Field("", max_length=20, description="What is painted on it.")
    mode: Literal["slow", "fast"] = Field("slow", description="How it runs.")
    on: bool = Field(True, description="Whether it runs.")
    tags: TextList = Field((), description="Words.")
    home: LocalPath | None = Field(None, description="Where it stands.")
    folders: PathList = Field((), description="Where it has been.")
    password: SecretStr | None = Field(None, description="What starts it.", max_length=50)


class WheelSection(Section):
    """Wheels."""

    section: ClassVar[str] = "wheel"

    speed: Speed = Field(1.0, description="Speed, in m/s.")
    size: float = Field(1.0, ge=0.1, le=2, description="Diameter, in m.")


class HullSection(Section):
    """A hull."""

    section: ClassVar[str] = "hull"

    speed: Speed = Field(1.0, description="Speed, in m/s.")


class SailSection(Section):
    """Sails."""

    section: ClassVar[str] = "sail"

    area: float = Field(1.0, ge=0, le=100, description="Area, in m^2.")


def slow_means_slow(configuration: Configuration) -> Iterator[str]:
    """A slow engine is not fast."""
    engine = configuration.section(EngineSection)
    if engine.mode == "slow" and engine.speed > 5:
        yield f"{configuration.quote('engine.mode')} contradicts {configuration.quote('engine.speed')}"


DRIVER = Role(name="driver", description="Drives.", aliases=("old-driver",), scripts=("agents/driver.py",))
GUIDE = Role(name="guide", description="Guides.")
SAILOR = Role(name="sailor", description="Sails.")

CAR = WorkflowKind(
    name="car",
    description="Drives.",
    sections=(EngineSection, WheelSection, HullSection),
    agents=(DRIVER, GUIDE),
    required={"driver": "nobody else steers"},
    shared=(SharedKey(name="the speed", ranks=(("engine.speed",), ("wheel.speed", "hull.speed"))),),
    checks=(slow_means_slow,),
)
BOAT = WorkflowKind(name="boat", description="Sails.", sections=(SailSection,), agents=(SAILOR,))
KINDS = (CAR, BOAT)
