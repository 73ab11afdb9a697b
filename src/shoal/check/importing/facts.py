"""What files tell of a system, in one form whichever format they are in: the middle between formats and rules.

What a file does not tell is `None`, which is not the same as what it denies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from shoal.check.finding import Place

Form = Literal["compose", "kubernetes", "openapi", "asyncapi"]
Role = Literal["service", "store", "cache", "broker", "aside", "visitor"]
"""What runs: a service, where one keeps data, what carries messages, what only looks on, or who only asks."""


@dataclass(frozen=True, eq=False)
class Said:
    """Something that a file says."""

    text: str
    where: Place


@dataclass(frozen=True, eq=False)
class Setting:
    """An environment variable of a container.

    Attributes:
        name: Of the variable.
        where: Where it is set.
        value: What it is set to; None where that is kept elsewhere: in a secret, or the environment of who starts it.
        written: What stands there in the file, without what variables say; empty where it is read from elsewhere.
        hidden: Whether it is kept as a secret, which no report shows.
    """

    name: str
    where: Place
    value: str | None = None
    written: str = ""
    hidden: bool = False


@dataclass(frozen=True, eq=False)
class Argument:
    """A part of a command.

    Attributes:
        value: What it says.
        where: The part.
        written: What stands there in the file, without what variables say.
    """

    value: str
    where: Place
    written: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Container:
    """One container of a unit. What is None the format cannot say."""

    name: str
    where: Place
    image: Said | None = None
    built: str = ""
    """Of what it is built, where no image is named: folder, file and arguments."""
    settings: tuple[Setting, ...] = ()
    arguments: tuple[Argument, ...] = ()
    """Its command and arguments, each by itself."""
    requested: bool | None = None
    """Whether it says how much it needs."""
    limited: bool | None = None
    """Whether its memory has a limit."""
    ready: bool | None = None
    """Whether it says when it can be asked."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Unit:
    """One thing that runs, in one or more replicas.

    Attributes:
        name: As its file calls it.
        form: Which format tells of it.
        where: Its declaration.
        service: What it is a part of: itself, or the service that has several versions.
        role: What it is.
        kind: Of the object: ``Deployment``; ``service`` in Compose.
        scope: Within what its names mean it: a namespace, the folder of a project.
        names: Hosts by which others reach it.
        containers: What it is made of.
        preparing: What runs before that, and ends.
        links: What it calls others → the names of those others.
        after: What it waits for when it starts.
        replicas: How many there are at rest; None where nobody says.
        replicas_at: Where that is said, or would be.
        doors: Where it is said that it can be reached from outside, and how.
        asked: Whether others reach it by a name that spreads requests over its replicas.
    """

    name: str
    form: Form
    where: Place
    service: str
    role: Role
    kind: str
    scope: str = ""
    names: frozenset[str] = frozenset()
    containers: tuple[Container, ...] = ()
    preparing: tuple[Container, ...] = ()
    links: Mapping[str, Said] = field(default_factory=dict)
    after: tuple[Said, ...] = ()
    replicas: int | None = None
    replicas_at: Place | None = None
    doors: tuple[Said, ...] = ()
    asked: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Operation:
    """What a service answers, by OpenAPI.

    Attributes:
        open: Whether anybody may ask: neither it nor the document asks for a key, a token or a certificate.
    """

    service: str
    method: str
    path: str
    where: Place
    open: bool
    summary: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Message:
    """What a service sends or hears, by AsyncAPI.

    Attributes:
        version: What says which version of it this is; empty where nothing does, None where that lies in files that
            nobody can read.
    """

    service: str
    name: str
    channel: str
    where: Place
    sent: bool | None = None
    version: str | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Kept:
    """A value of an object that keeps settings: of a ``Secret``, a ``ConfigMap``.

    Attributes:
        value: Readable, whatever form it is kept in; empty where it is no text.
        where: The value.
        object: The object.
        sealed: Whether only who has a key can read it (SOPS).
    """

    kind: str
    name: str
    key: str
    value: str
    where: Place
    object: Place
    sealed: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Facts:
    """Everything that the files of one system tell."""

    forms: frozenset[Form] = frozenset()
    units: tuple[Unit, ...] = ()
    operations: tuple[Operation, ...] = ()
    messages: tuple[Message, ...] = ()
    kept: tuple[Kept, ...] = ()
    guarded: frozenset[str] = frozenset()
    """Namespaces in which a policy says who may reach whom."""
    titles: dict[str, Place] = field(default_factory=dict)
    """Service that a document of OpenAPI or AsyncAPI is about → the document."""

    @cached_property
    def services(self) -> dict[str, tuple[Unit, ...]]:
        """Service → the units that it is; empty for one of which only interfaces are told."""
        found: dict[str, list[Unit]] = {name: [] for name in self.titles}
        for unit in self.units:
            if unit.role == "service":
                found.setdefault(unit.service, []).append(unit)
        return {name: tuple(units) for name, units in found.items()}

    def only(self, form: Form) -> "Facts":
        """Leave out what runs by the files of other formats, which may describe the same services in another place."""
        return replace(self, units=tuple(unit for unit in self.units if unit.form == form))

    def knows(self, need: str) -> bool:
        """Tell whether the files can say something of the kind: a need of a rule."""
        runs = bool(self.forms & {"compose", "kubernetes"})
        return {
            "calls": runs,
            "sizes": runs,
            "values": runs,
            "objects": "kubernetes" in self.forms,
            "manifests": "kubernetes" in self.forms,
            "operations": "openapi" in self.forms,
            "messages": "asyncapi" in self.forms,
        }.get(need, False)
