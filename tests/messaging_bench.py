"""Runtimes on real buses and a real store, with a clock and identities that the test decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection

from swf.core.codec import Decoder, encode
from swf.core.errors import RetriableError
from swf.core.ids import CountingIds
from swf.core.messages import Body, Envelope, Message, Vocabulary
from swf.core.times import ManualClock
from swf.messaging.agent import Agent, Handler
from swf.messaging.bus import Bus, Wire
from swf.messaging.embedded import EmbeddedBus
from swf.messaging.memory import MemoryBus
from swf.messaging.runtime import Runtime
from swf.messaging.turn import Identity, Turn
from swf.store.models import Counter, SystemAgent

NAMESPACE = "testbed"
TOPIC, QUEUE, ANSWERS = "/topic/epictopic", "/queue/work", "/queue/answers"


class Word(Body):
    """A word to be written down."""

    msg_type = "word"

    text: str = ""


class Other(Body):
    """Something else."""

    msg_type = "other"


class Answer(Body):
    """What a handler says."""

    msg_type = "answer"

    text: str = ""


VOCABULARY = Vocabulary([Word, Other, Answer])


class TryLaterError(RetriableError):
    """What a handler raises that may succeed later."""


class Writer:
    """A handler whose effect is a row per word, and an answer; a word named in `failing` raises its error, after both.

    `calls` has the words of each call, whether it took effect or not.
    """

    def __init__(self, failing: Mapping[str, Exception] | None = None, answer_to: str = "") -> None:
        self.failing = dict(failing or {})
        self.calls: list[list[str]] = []
        self._answer_to = answer_to

    def __call__(self, turn: Turn, messages: Sequence[Message[Word]]) -> None:
        self.calls.append([message.body.text for message in messages])
        for message in messages:
            text = message.body.text
            Counter.objects.create(name=f"{turn.identity.role}:{text}", value=turn.identity.name.count("-"))
            if self._answer_to:
                turn.send(self._answer_to, Answer(run_id=message.body.run_id, text=text))
            if text in self.failing:
                raise self.failing[text]


class Refuser:
    """A reconciler that does what it is told."""

    def __init__(self, step: Callable[[Any], bool]) -> None:
        self._step = step

    def step(self, begin: Any) -> bool:
        return self._step(begin)


def words(role: str = "data") -> list[str]:
    """The words that a role has written down, in the order of the alphabet."""
    names = Counter.objects.filter(name__startswith=f"{role}:").values_list("name", flat=True)
    return sorted(name.removeprefix(f"{role}:") for name in names)


class Bench:
    """Builds runtimes, and plays the peer that sends them messages."""

    KINDS: ClassVar[tuple[str, ...]] = ("memory", "embedded")

    def __init__(self, kind: str = "memory", vocabulary: Vocabulary = VOCABULARY, namespace: str = NAMESPACE) -> None:
        self.kind = kind
        self.clock = ManualClock()
        self.ids = CountingIds()
        self.namespace = namespace
        self.decoder = Decoder(vocabulary, namespace)
        self.reached: list[str] = []
        self._memory = MemoryBus()
        self.bus: Bus = self._connected()
        self._sent = 0

    def runtime(self, agent: Agent, **options: Any) -> Runtime:
        """The runtime of an agent; one of the same role is the same agent, started again."""
        name = f"{agent.role}-agent-ann-1"
        SystemAgent.objects.get_or_create(
            instance_name=name, defaults={"agent_type": agent.role, "namespace": self.namespace}
        )
        return Runtime(
            agent,
            Identity(name=name, role=agent.role, namespace=self.namespace),
            bus=self.bus,
            decoder=self.decoder,
            clock=self.clock,
            ids=self.ids,
            boundary=self.reached.append,
            **options,
        )

    def restart(self) -> None:
        """The process is gone, and a new one connects: runtimes are to be made anew."""
        self.bus = self._connected()

    def wire(self, body: Body, destination: str = TOPIC, *, message_id: UUID | None = None) -> Wire:
        """A message of a peer."""
        self._sent += 1
        envelope = Envelope(
            message_id=message_id or UUID(int=(7 << 76) | (2 << 62) | (1 << 40) | self._sent),
            namespace=self.namespace,
            sender="peer-agent-ann-9",
            sender_seq=self._sent,
            created_at=self.clock.now(),
        )
        return self.raw(encode(envelope, body), destination, body.msg_type, message_id=envelope.message_id)

    def raw(
        self, text: Any, destination: str = TOPIC, msg_type: str = "word", *, message_id: UUID | None = None
    ) -> Wire:
        """Anything that a peer may send."""
        return Wire(
            message_id=message_id or self.ids.new(),
            namespace=self.namespace,
            destination=destination,
            msg_type=msg_type,
            run_number=None,
            body=text,
        )

    def send(self, *texts: str, destination: str = TOPIC) -> None:
        """Words from a peer."""
        self.bus.publish([self.wire(Word(run_id=1, text=text), destination) for text in texts])

    def _connected(self) -> Bus:
        if self.kind == "embedded":
            return EmbeddedBus(self.clock)
        self._memory.redeliver()
        return self._memory


def writer_agent(handler: Handler, role: str = "data", **options: Any) -> Agent:
    """An agent that handles words of the topic, or of what `subscriptions` names."""
    return Agent(role=role, **{"subscriptions": (TOPIC,), "handlers": {Word: handler}, **options})


def run(*runtimes: Runtime) -> int:
    """Step until nothing is left to do. Returns the number of rounds that did something."""
    rounds = 0
    while True in {runtime.step() for runtime in runtimes}:
        rounds += 1
        assert rounds < 10_000, "there is always something left to do"
    return rounds


@contextmanager
def full_disk() -> Iterator[None]:
    """The database's disk is full: what needs another page fails, in the midst of a transaction."""
    _limit_pages(1)
    try:
        yield
    finally:
        _limit_pages(1_000_000)


def fill_the_disk() -> None:
    """Write until no page is left; to be called within `full_disk`.

    Raises:
        OperationalError: the disk is full.
    """
    for number in range(1000):
        Counter.objects.create(name=f"{number}-{'x' * 3000}")
    raise AssertionError("the disk did not fill up")


def _limit_pages(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA max_page_count = {number}")
        cursor.fetchall()
