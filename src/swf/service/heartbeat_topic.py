"""Signs of life on the broker, for listeners of older systems; our own readers look at the agents' rows."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from typing import Final

from swf.core.errors import ServiceError
from swf.core.ids import IdSource
from swf.core.times import Clock, rfc3339
from swf.messaging.bus import Bus, Wire
from swf.messaging.turn import Identity

MSG_TYPE: Final = "heartbeat"


class HeartbeatTopic:
    """Publishes one message per agent on `[bus] heartbeat_topic` each time that it is called.

    To be called by whoever writes the heartbeat into the agents' rows, with the same words and at the same pace
    (`swf.service.identity.HEARTBEAT_S`), in service mode. It is no part of a transaction and goes through no outbox: an
    old sign of life says nothing, so one that the broker does not take is dropped and not tried again. The fields are
    those that older agents post to their monitor.
    """

    def __init__(self, bus: Bus, topic: str, identities: Sequence[Identity], *, ids: IdSource, clock: Clock) -> None:
        self._bus = bus
        self._topic = topic
        self._identities = tuple(identities)
        self._ids = ids
        self._clock = clock

    def say(self, *, status: str, operational_state: str) -> bool:
        """Tell how the agents of this process are. Returns whether the broker took it.

        Args:
            status: OK, WARNING, ERROR or EXITED.
            operational_state: STARTING, READY, PROCESSING or EXITED.
        """
        try:
            self._bus.publish([self._wire(identity, status, operational_state) for identity in self._identities])
        except ServiceError:
            return False
        return True

    def _wire(self, identity: Identity, status: str, operational_state: str) -> Wire:
        now = rfc3339(self._clock.now())
        said = {
            "msg_type": MSG_TYPE,
            "sender": identity.name,
            "namespace": identity.namespace,
            "created_at": now,
            "timestamp": now,
            "instance_name": identity.name,
            "agent_type": identity.role,
            "status": status,
            "operational_state": operational_state,
            "description": f"{identity.role} agent of namespace {identity.namespace}",
            # It could not be read where it is not so.
            "mq_connected": True,
            "pid": os.getpid(),
            "hostname": socket.gethostname(),
        }
        return Wire(
            message_id=self._ids.new(),
            namespace=identity.namespace,
            destination=self._topic,
            msg_type=MSG_TYPE,
            run_number=None,
            body=json.dumps(said, separators=(",", ":")),
        )
