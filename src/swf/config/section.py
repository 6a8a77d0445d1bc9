"""Sections of the configuration as frozen models, and the types that their fields use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, Strict


class Section(BaseModel):
    """One section of the configuration.

    A subclass names itself in `section` (`"stf"` is `[stf]`) and gives every field a default, a description that says
    what it does and in which unit, and bounds. A text is never taken for a number; a whole number serves as a float.
    Secrets are `SecretStr`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True)

    section: ClassVar[str]
    of_installation: ClassVar[bool] = False
    """Whether it says where something is, and not what is to be done: it is not kept with executions, which can go on
    elsewhere."""


LocalPath = Annotated[Path, Strict(False)]
"""A path; a relative one is taken from the folder of the file that names it, or from the working folder."""

PathList = Annotated[tuple[LocalPath, ...], Strict(False), Field(max_length=100)]
"""Paths; in an environment variable they may be separated as in PATH."""

TextList = Annotated[tuple[Annotated[str, Field(max_length=4000)], ...], Strict(False), Field(max_length=1000)]
"""A list of texts."""
