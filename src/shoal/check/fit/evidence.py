"""What the advice rests on. Whatever nobody knows is None, and never a guess."""

import msgspec


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the sources."""

    author: str
    """Whoever it was, told apart from others and not named anywhere."""
    day: int
    """Days since 1970."""
    paths: tuple[str, ...]
    """Files, relative to the folder of the project."""
    first: bool = False
    """Whether nothing was before it, or nobody has what was: it says nothing about what changes together."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What git knows of a span of time."""

    since: str
    """The span, for people: ``6 months``."""
    days: int
    """How many days it has."""
    commits: tuple[Commit, ...]
    age: int | None = None
    """Days since the first commit; None where that is cut off."""
    shallow: bool = False
    """Whether earlier commits are cut off."""


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """What a month of services costs at one place, whether or not anybody asks them."""

    where: str
    """``aws in eu-central-1``."""
    unit: str
    """Currency."""
    fixed: dict[str, float]
    """Service → what does not grow with use."""
    unpriced: int = 0
    """Lines of the bill that nobody has a price for."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Handlers of a service that share data with each other and with no other handler of it."""

    handlers: tuple[str, ...]
    data: tuple[str, ...]
    """Classes of what they keep."""
    callers: tuple[str, ...]
    """Services that call them or whose events they hear."""
    files: tuple[str, ...]
    """Files that serve this part alone."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service."""

    name: str
    handlers: int
    """Operations, events, steps and schedules."""
    engine: str = ""
    """Of its store in production; empty without one."""
    availability: float = 0.0
    """What it promises; 0 where it promises nothing."""
    home: str = ""
    """Folder or file that is its alone; empty where it shares it."""
    parts: tuple[Part, ...] = ()
    """What it falls into by its data; none where that cannot be read."""
    unread: int = 0
    """Handlers whose data cannot be read."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One service that calls another and waits for the answer."""

    caller: str
    callee: str
    places: int
    """Places in the source that call."""
    looped: int = 0
    """Those of them that call for each round of a loop."""
    required: bool = True
    """Whether the caller does not work without an answer: no call has a stand-in."""
    where: str = ""
    """The first place: ``shop/orders/service.py:70``."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has seen of a pair."""

    calls: int
    work: int
    """Operations and events that the caller handled meanwhile."""
    most: int
    """Most calls within one piece of work."""
    hop: float | None
    """Seconds that one call spends between the two: the difference of the medians of caller and callee; None where
    only one of them is known."""

    @property
    def each(self) -> float:
        """Calls for each piece of work of the caller."""
        return self.calls / self.work if self.work else 0.0


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has seen."""

    name: str
    work: dict[str, int]
    """Service → operations and events that it handled."""
    pairs: dict[tuple[str, str], Measured]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a system."""

    system: str
    services: tuple[Service, ...]
    pairs: tuple[Pair, ...] = ()
    reach: float = 0.0
    """Share of the other services that do not work without one, on average."""
    chain: tuple[str, ...] = ()
    """The longest way of calls that wait for each other, service by service."""
    latency: float | None = None
    """The strictest promise about time, in seconds."""
    team: int | None = None
    """People who work on it, where somebody says so."""
    history: History | None = None
    run: Run | None = None
    money: Money | None = None
