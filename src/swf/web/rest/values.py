"""Types of values in addresses and bodies, with the limits that the store has."""

from __future__ import annotations

from typing import Annotated, Final

from ninja import Path, Schema
from pydantic import ConfigDict, Field

NO_NULL: Final = r"^[^\x00]*$"
"""Texts that every database takes."""

RunNumber = Annotated[int, Path(ge=1, le=2**31 - 1, description="The number of a run.")]
RowNumber = Annotated[int, Path(ge=1, le=2**53, description="Its number.")]
Name = Annotated[str, Path(min_length=1, max_length=250, pattern=NO_NULL, description="Its name.")]
Text = Annotated[str, Field(min_length=1, max_length=4000, pattern=NO_NULL)]
Word = Annotated[str, Field(min_length=1, max_length=250, pattern=NO_NULL)]


class Body(Schema):
    """A request's body: fields that it does not have are refused, and values of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Wish(Body):
    """A wish that something is done."""

    reason: Text = Field(description="Why; it is kept.")
    dry_run: bool = Field(False, description="Change nothing; the answer is what would be.")
