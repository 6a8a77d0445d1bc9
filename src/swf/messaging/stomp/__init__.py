"""The bus over STOMP 1.2: ActiveMQ Classic, and Artemis (not tested).

Frames are stompman's. Its client is not used: it reconnects in the middle of a publication, which
would break the order of a destination; it has no receipt for a transaction, and a transaction per window is ten times
as fast as a receipt per message; it does not notice a broker that hangs; and an error of TLS ends it.

    bus          StompBus: what the runtime and the relay see, called from their thread
    engine       the thread with the event loop
    link         keeps one session open, for ever, with back-off
    session      one connection: receipts, acknowledgements, heartbeats
    dial         opens a connection, and says in words why it could not
    reader       bytes to frames
    intake       what arrived for one subscription and waits for the runtime
    frames       messages and subscriptions as frames
    names        the names of queues on the broker
"""

from swf.messaging.stomp.bus import StompBus
from swf.messaging.stomp.names import Names
from swf.messaging.stomp.probe import probe
from swf.messaging.stomp.status import BusStatus

__all__ = ["BusStatus", "Names", "StompBus", "probe"]
