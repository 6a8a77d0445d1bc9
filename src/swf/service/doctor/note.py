"""The messages that the doctor sends, and where to: a topic and a namespace of its own, which nobody else reads."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Final, Literal

from pydantic import Field

from swf.core.codec import encode
from swf.core.destinations import TOPIC
from swf.core.errors import BusyError
from swf.core.ids import IdSource
from swf.core.messages import MAX_RUN, Body, Envelope
from swf.core.times import Clock
from swf.messaging.bus import Bus, Subscription, Wire

ROLE: Final = "doctor"
_QUIET_S: Final = 0.3
_KEPT: Final = timedelta(hours=1)
"""What a doctor that was killed leaves on a broker is gone after that."""


class DoctorNote(Body):
    """A message that means nothing."""

    msg_type: ClassVar[str] = "doctor_note"

    said_by: Literal["DOCTOR"] = "DOCTOR"
    data: Literal["SIMULATED"] = "SIMULATED"
    number: int = Field(ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surgery:
    """The doctor's namespace and topic on a broker: the same ones each time for one user and data directory, so that
    visits leave at most one empty queue."""

    identity: str

    @classmethod
    def of(cls, root: Path) -> Surgery:
        """That of a data directory."""
        text = f"{socket.gethostname()}:{os.getuid()}:{root.absolute()}"
        return cls(identity=hashlib.sha256(text.encode()).hexdigest()[:8])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return f"doctor-{self.identity}"

    @property
    def topic(self) -> str:
        """Where it sends."""
        return f"{TOPIC}swf.doctor.{self.identity}"

    @property
    def subscription(self) -> Subscription:
        """What it takes."""
        types = frozenset({DoctorNote.msg_type})
        return Subscription(namespace=self.namespace, role=ROLE, destination=self.topic, types=types)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be its only visitor.

        Raises:
            BusyError: another one is there.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mark:
            try:
                # An abstract name: no file, and gone with the process, however that ends.
                mark.bind(f"\0swf-{self.namespace}")
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                raise BusyError(
                    "another testbed doctor looks at this data directory now; wait until it has ended"
                ) from None
            yield

    def clear(self, bus: Bus, arrived: threading.Event) -> int:
        """Take away what waits, until nothing comes any more. Returns how many messages it was.

        Args:
            bus: it is subscribed.
            arrived: is set when messages have come.
        """
        number = 0
        while True:
            arrived.clear()
            if taken := bus.receive(self.subscription, 500):
                number += len(taken)
                bus.ack(taken)
            elif not arrived.wait(_QUIET_S):
                return number

    def note(self, number: int, ids: IdSource, clock: Clock) -> Wire:
        """A new message."""
        now = clock.now()
        envelope = Envelope(
            message_id=ids.new(), namespace=self.namespace, sender="DOCTOR", sender_seq=number, created_at=now
        )
        return Wire(
            message_id=envelope.message_id,
            namespace=self.namespace,
            destination=self.topic,
            msg_type=DoctorNote.msg_type,
            run_number=MAX_RUN,
            body=encode(envelope, DoctorNote(run_id=MAX_RUN, number=number)),
            expires_at=now + _KEPT,
            headers={"data": "SIMULATED"},
        )
