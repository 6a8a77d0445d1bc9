"""The agent runtime: takes deliveries in small batches, and makes of each batch one transaction.

A batch is received and decoded; in one transaction its messages are entered in the inbox (a repeat ends here),
handled, and what the handlers send is put into the outbox; then it is acknowledged. A message that cannot be handled
fails alone and goes to the dead letters. Nothing is acknowledged before its effects are committed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from uuid import UUID

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, transaction

from swf.core.codec import Decoder
from swf.core.effects import Boundary, no_boundary
from swf.core.errors import ForeignNamespaceError, MessageError, UnknownTypeError
from swf.core.ids import IdSource
from swf.core.messages import Body, Message
from swf.core.times import Clock
from swf.messaging import dead_letters, inbox
from swf.messaging.agent import Agent, Handler
from swf.messaging.bus import Bus, Delivery, Subscription, Wire
from swf.messaging.dead_letters import Failed
from swf.messaging.turn import Identity, Turn
from swf.store.models import DeadLetter, SystemAgent
from swf.store.outcome import Wait, known_outcome
from swf.store.work import ConflictError

_REDRIVE_INTERVAL_S = 1.0

_MOST_CONFLICTS = 5
"""How often in a row a batch is done again because of another process, before its messages are looked at one by one."""


@dataclass(slots=True, kw_only=True)
class Counts:
    """What a runtime did since it started."""

    received: int = 0
    handled: int = 0
    repeated: int = 0
    foreign: int = 0
    failed: int = 0
    retried: int = 0
    """Work items that it put back into the queue because their attempt failed."""
    lag_s: float = 0.0
    """Age of the last message when it was handled, in seconds."""

    def lag(self, seconds: float) -> None:
        """A message of this age was handled. Clocks of hosts differ: none is younger than now."""
        self.lag_s = max(0.0, seconds)

    def add(self, numbers: Mapping[str, int]) -> None:
        """Add to the counts of these names."""
        for name, number in numbers.items():
            setattr(self, name, getattr(self, name) + number)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    delivery: Delivery
    message: Message[Body]


class Runtime:
    """Runs one agent. Call `step` again and again; it never waits."""

    def __init__(
        self,
        agent: Agent,
        identity: Identity,
        *,
        bus: Bus,
        decoder: Decoder,
        clock: Clock,
        ids: IdSource,
        batch: int = 200,
        boundary: Boundary = no_boundary,
        on_failure: Callable[[DeadLetter], None] = lambda letter: None,
    ) -> None:
        self.agent = agent
        self.identity = identity
        self.counts = Counts()
        self.wait: Wait = time.sleep
        """How it waits for a database that is gone and has to say whether a commit took effect; may raise an
        OperationalError where the process is to end, which then never learns it."""
        self._bus = bus
        self._decoder = decoder
        self._clock = clock
        self._ids = ids
        self._batch = batch
        self._boundary = boundary
        self._on_failure = on_failure
        self._tell: Callable[[Sequence[Wire] | None], None] = lambda wires: None
        types = frozenset(body.msg_type for body in agent.handlers)
        self._subscriptions = [
            Subscription(namespace=identity.namespace, role=agent.role, destination=destination, types=types)
            for destination in agent.subscriptions
        ]
        for subscription in self._subscriptions:
            bus.subscribe(subscription)
        self._next_seq: int | None = None
        """The number of its next message; None where its row has to be asked."""
        self._unfinished: list[Delivery] = []
        self._held: dict[UUID, Delivery] = {}
        self._look_at_dead_letters = 0.0
        self._conflicts = 0

    def step(self) -> bool:
        """Take what waits and let the reconcilers look once. Returns whether there was anything to do.

        Raises:
            DatabaseError: the database failed; nothing of the batch took effect, and the next step does it again.
            ConflictError: another process moved a work item meanwhile; likewise.
        """
        worked = self._redrive()
        # Reconcilers first: at the first step they find what a dead process left, before anything new is taken.
        for reconciler in self.agent.reconcilers:
            worked |= reconciler.step(self.turn)
        return self.take_messages() or worked

    def tell(self, listener: Callable[[Sequence[Wire] | None], None]) -> None:
        """Have somebody told, after each transaction, of the messages that it sends; of None where it failed, or nobody
        knows whether it did."""
        self._tell = listener

    def take_messages(self) -> bool:
        """Take one batch of what waits from each destination. Returns whether anything waited.

        Raises:
            DatabaseError: as in `step`.
        """
        taken = [self._take(subscription) for subscription in self._subscriptions]
        return any(taken)

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """A transaction of this agent: rows, sent messages and acknowledgements together, or not at all.

        Raises:
            BusyError: another process has taken this one's place.
        """
        # Where this fails, the row tells the number.
        next_seq, self._next_seq = self._next_seq, None
        if next_seq is None:
            self._tell(None)
        with known_outcome(self.identity.name, self.identity.start):
            if next_seq is None:
                next_seq = SystemAgent.objects.get(pk=self.identity.name).sender_seq + 1
            turn = Turn(self.identity, self._clock.now(), self._ids, next_seq)
            yield turn
            destinations = turn.flush()
            finished = [*turn.finished, *(self._held[m] for m in turn.settled if m in self._held)]
            if self._bus.shares_database:
                self._bus.ack(finished)
            self._boundary("before_commit")
        self._next_seq = turn.next_seq
        self._tell(turn.wires)
        self._conflicts = 0
        self.counts.retried += turn.retried
        turn.committed()
        self._boundary("after_commit")
        if not self._bus.shares_database and finished:
            self._bus.ack(finished)
            self._boundary("after_ack")
        for message_id in turn.settled:
            self._held.pop(message_id, None)
        self._bus.announce(destinations)

    def _take(self, subscription: Subscription) -> bool:
        deliveries = self._unfinished or self._bus.receive(subscription, min(self.agent.capacity(), self._batch))
        if not deliveries:
            return False
        # Until its transaction commits the batch stays here: a failing database makes us do it again.
        self._unfinished = deliveries
        taken, refused, foreign = self._decode(deliveries)
        with self.turn() as turn:
            self._count(turn, received=len(deliveries), foreign=foreign)
            if taken:
                sent_at = taken[-1].message.envelope.created_at
                turn.on_commit(partial(self.counts.lag, (turn.now - sent_at).total_seconds()))
            fresh = inbox.admit(self.identity, {t.message.envelope.message_id: t.message.body.run_id for t in taken})
            held = {m: d for m, d in self._offered(turn, taken, fresh).items() if m in turn.deferred}
            for failed in refused:
                self._keep(failed, turn)
            kept = {id(delivery) for delivery in held.values()}
            turn.finished += [delivery for delivery in deliveries if id(delivery) not in kept]
        self._held |= held
        self._unfinished = []
        return True

    def _offered(self, turn: Turn, taken: list[_Taken], fresh: set[UUID]) -> dict[UUID, Delivery]:
        """Give each fresh message to its handler, in order; messages of one type that follow each other go together."""
        offered = []
        for each in taken:
            message_id = each.message.envelope.message_id
            if message_id in fresh:
                fresh.discard(message_id)
                offered.append(each)
        self._count(turn, repeated=len(taken) - len(offered))
        for body_class, group in groupby(offered, key=lambda each: type(each.message.body)):
            self._handle(turn, self.agent.handlers[body_class], list(group))
        return {each.message.envelope.message_id: each.delivery for each in offered}

    def _handle(self, turn: Turn, handler: Handler, group: list[_Taken]) -> None:
        """Call a handler in a savepoint; where that fails for several messages, one by one, so that one fails alone."""
        error = self._try(turn, handler, [each.message for each in group])
        if error is None:
            self._count(turn, handled=len(group))
        elif len(group) == 1:
            body = group[0].message.body
            self._keep(
                Failed(
                    destination=group[0].delivery.subscription.destination,
                    body=_text(group[0].delivery.body),
                    error=error,
                    message_id=group[0].message.envelope.message_id,
                    msg_type=body.msg_type,
                    run_number=body.run_id,
                ),
                turn,
            )
        else:
            for each in group:
                self._handle(turn, handler, [each])

    def _try(self, turn: Turn, handler: Handler, messages: list[Message[Body]]) -> Exception | None:
        mark = turn.mark()
        try:
            with transaction.atomic():
                handler(turn, messages)
        except (IntegrityError, DataError) as error:
            turn.rewind(mark)
            return error
        except (DatabaseError, InterfaceError):
            raise
        except ConflictError as error:
            # The whole batch is done again, on the rows as they are then. A conflict that stays is the message's own.
            self._conflicts += 1
            if self._conflicts <= _MOST_CONFLICTS:
                raise
            turn.rewind(mark)
            return error
        except Exception as error:  # noqa: BLE001 - the message boundary: whatever it was, the next message goes on
            turn.rewind(mark)
            return error
        return None

    def _decode(self, deliveries: Sequence[Delivery]) -> tuple[list[_Taken], list[Failed], int]:
        """The messages for this role, those that cannot be accepted, and how many were of another namespace."""
        taken, refused, foreign = [], [], 0
        for delivery in deliveries:
            try:
                message = self._decoder.decode(delivery.body, self._clock.now())
            except ForeignNamespaceError:
                foreign += 1
            except MessageError as error:
                destination = delivery.subscription.destination
                refused.append(Failed(destination=destination, body=_text(delivery.body), error=error))
            else:
                if type(message.body) in self.agent.handlers:
                    taken.append(_Taken(delivery=delivery, message=message))
        return taken, refused, foreign

    def _redrive(self) -> bool:
        """Try messages again whose time has come."""
        if self._clock.monotonic() < self._look_at_dead_letters:
            return False
        self._look_at_dead_letters = self._clock.monotonic() + _REDRIVE_INTERVAL_S
        letters = dead_letters.due(self.identity, self._clock.now())
        for letter in letters:
            with self.turn() as turn:
                self._try_again(turn, letter)
        return bool(letters)

    def _try_again(self, turn: Turn, letter: DeadLetter) -> None:
        error: Exception | None
        try:
            message = self._decoder.decode(letter.body, self._clock.now())
        except MessageError as refusal:
            error = refusal
        else:
            handler = self.agent.handlers.get(type(message.body))
            unknown = UnknownTypeError(f"the role {self.identity.role} does not handle {message.body.msg_type}")
            error = self._try(turn, handler, [message]) if handler else unknown
        if error is None:
            letter.state, letter.redrive_at = DeadLetter.State.REDRIVEN, None
            letter.save()
            self._count(turn, handled=1)
            return
        failed = Failed(
            destination=letter.destination,
            body=letter.body,
            error=error,
            message_id=letter.message_id,
            msg_type=letter.msg_type,
            run_number=letter.run_number,
        )
        self._keep(failed, turn)

    def _keep(self, failed: Failed, turn: Turn) -> None:
        letter = dead_letters.keep(self.identity, failed, turn.now)
        self._count(turn, failed=1)
        turn.on_commit(partial(self._on_failure, letter))

    def _count(self, turn: Turn, **numbers: int) -> None:
        """Count what this turn did, if it commits."""
        turn.on_commit(partial(self.counts.add, numbers))


def _text(body: str | bytes) -> str:
    """A body as a row can hold it: what is no text is escaped."""
    raw = body if isinstance(body, bytes) else body.encode(errors="surrogatepass")
    return raw.decode(errors="backslashreplace").replace("\0", "\\x00")
