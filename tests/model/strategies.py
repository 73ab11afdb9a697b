"""Random systems that are valid: whatever constructors let through, in every combination that we could think of."""

from typing import Literal, TypeVar

from hypothesis import strategies as st

from shoal.model import (
    Access,
    Call,
    Endpoint,
    Event,
    External,
    Gateway,
    Issuer,
    Policy,
    Service,
    Store,
    Subscription,
    System,
    Target,
)
from shoal.model.breaker import Breaker
from shoal.model.service import Method, Parameter, Schema, Setting, path_parameters, shape

T = TypeVar("T")

METHODS: tuple[Method, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE")
PLACES: tuple[Literal["query"], Literal["header"]] = ("query", "header")
LABELS = st.sampled_from(
    ("a", "b", "a-b", "a-dead", "dead", "a--dead", "dead-a", "b2", "event", "a-long-name-of-a-service")
)
WORDS = st.sampled_from(("id", "a", "b", "placed", "dead", "x_1", "v1", "all"))
SCHEMAS: st.SearchStrategy[Schema] = st.sampled_from(
    (
        {"type": "string", "minLength": 1},
        {"type": "integer", "minimum": 0, "default": 3},
        {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
        {"$ref": "#/components/schemas/Thing"},
        {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None},
    )
)
NAMED: dict[str, Schema] = {"Thing": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}}
POLICIES = st.builds(
    Policy,
    timeout=st.floats(min_value=0.001, max_value=3600),
    attempts=st.integers(min_value=1, max_value=100),
    backoff=st.floats(min_value=0, max_value=3600),
)
BREAKERS = st.none() | st.builds(
    Breaker,
    circuit=WORDS,
    timeout=st.floats(min_value=0, max_value=3600),
    error_threshold=st.floats(min_value=0.1, max_value=100),
    volume_threshold=st.integers(min_value=1, max_value=1000),
    fallback=WORDS,
)
_NAMES = st.lists(WORDS, max_size=2, unique=True).map(tuple)
ACCESSES = st.one_of(
    st.sampled_from((Access(kind="anyone"), Access(kind="internal"))), st.builds(Access, roles=_NAMES, scopes=_NAMES)
)


@st.composite
def endpoints(draw: st.DrawFn, service: str) -> tuple[Endpoint, ...]:
    """Draw endpoints below a path of the service's own, so that no route of the gateway is taken twice."""
    found: dict[tuple[str, str], Endpoint] = {}
    spelled: dict[str, str] = {}
    for name in draw(st.lists(WORDS, max_size=4, unique=True)):
        path = draw(_paths(service))
        path, method = spelled.setdefault(shape(path), path), draw(st.sampled_from(METHODS))
        response = draw(st.none() | SCHEMAS)
        found[method, path] = Endpoint(
            name=name,
            method=method,
            path=path,
            access=draw(ACCESSES),
            policy=draw(POLICIES),
            status=draw(st.sampled_from((200, 201, 202) if response else (200, 204))),
            idempotent=draw(st.booleans()),
            parameters=draw(_parameters(path)),
            request=draw(SCHEMAS) if method in ("POST", "PUT") else None,
            response=response,
            summary=draw(st.sampled_from(("", "Says ü."))),
            source=f"{service}.py:{len(found)}",
        )
    return tuple(found.values())


@st.composite
def _paths(draw: st.DrawFn, service: str) -> str:
    segments = draw(st.lists(st.tuples(st.booleans(), WORDS), min_size=1, max_size=3, unique_by=lambda s: s[1]))
    return f"/{service}/" + "/".join(f"{{{word}}}" if is_parameter else word for is_parameter, word in segments)


@st.composite
def _parameters(draw: st.DrawFn, path: str) -> tuple[Parameter, ...]:
    found = [Parameter(name=name, place="path", schema={"type": "string"}) for name in path_parameters(path)]
    for name in draw(st.lists(WORDS, max_size=2, unique=True)):
        place: Literal["query", "header"] = draw(st.sampled_from(PLACES))
        found.append(Parameter(name=name, place=place, schema=draw(SCHEMAS), required=draw(st.booleans())))
    return tuple(found)


@st.composite
def events(draw: st.DrawFn, service: str) -> tuple[Event, ...]:
    """Draw events named after their service."""
    names = draw(st.lists(st.tuples(WORDS, st.integers(1, 3)), max_size=3, unique=True))
    return tuple(
        Event(
            name=f"{service}.{word}",
            version=version,
            key=draw(st.sampled_from(("", "id"))),
            mode=draw(st.sampled_from(("structured", "binary"))),
            failure=draw(st.booleans()),
            schema=draw(SCHEMAS),
        )
        for word, version in names
    )


@st.composite
def systems(draw: st.DrawFn) -> System:
    """Draw a system."""
    names = draw(st.lists(LABELS, min_size=1, max_size=4, unique=True))
    offered = {name: (draw(endpoints(name)), draw(events(name))) for name in names}
    operations = [(name, e.name) for name, (served, _) in offered.items() for e in served]
    said = [e.id for _, published in offered.values() for e in published]
    externals = draw(_externals(names))
    services = []
    for name, (served, published) in offered.items():
        heard = draw(_some(said))
        services.append(
            Service(
                name=name,
                entry=f"{name}:{name}",
                endpoints=served,
                publishes=published,
                subscriptions=tuple(draw(_subscription(e, f"on_{i}", published)) for i, e in enumerate(heard)),
                calls=tuple(
                    Call(service=s, endpoint=e, policy=draw(POLICIES), breaker=draw(BREAKERS))
                    for s, e in draw(_some(operations))
                ),
                store=draw(_stores(needed=bool(heard or published))),
                settings=(Setting(name="url", variable=f"{name}__URL".upper(), secret=draw(st.booleans())),),
                externals=tuple(draw(_some([e.name for e in externals]))),
                schemas=NAMED,
            )
        )
    needs_issuer = any(e.access.kind == "principal" for served, _ in offered.values() for e in served)
    issuer = Issuer(service=names[0], audience="us", name="we") if needs_issuer or draw(st.booleans()) else None
    gateway = Gateway(issuer=issuer, port=draw(st.integers(1, 65535)))
    return System(name=draw(LABELS), services=tuple(services), gateway=gateway, externals=externals)


@st.composite
def _subscription(draw: st.DrawFn, event: str, handler: str, published: tuple[Event, ...]) -> Subscription:
    """Draw a handler; the version that it also accepts is published by nobody, and accepted by no other handler."""
    name, _, version = event.rpartition(".v")
    return Subscription(
        event=event,
        handler=handler,
        accepts=draw(st.sampled_from(((), (f"{name}.v{int(version) + 3}",)))),
        leads_to=draw(st.none() | _some([e.id for e in published]).map(tuple)),
    )


def _some(values: list[T]) -> st.SearchStrategy[list[T]]:
    return st.lists(st.sampled_from(values), max_size=3, unique=True) if values else st.just([])


@st.composite
def _externals(draw: st.DrawFn, taken: list[str]) -> tuple[External, ...]:
    names = draw(st.lists(LABELS.filter(lambda name: name not in taken), max_size=2, unique=True))
    return tuple(External(name=n, protocol=draw(st.sampled_from(("http", "smtp"))), setting="url") for n in names)


@st.composite
def _stores(draw: st.DrawFn, *, needed: bool) -> Store | None:
    store = Store(engine="postgres", needs=draw(st.sampled_from((("transactions",), ("transactions", "sql"), ()))))
    return store if needed or draw(st.booleans()) else None


TARGETS = st.builds(
    Target,
    shape=st.sampled_from(("processes", "one-process", "memory")),
    store=st.sampled_from(("postgres", "memory")),
    broker=st.sampled_from(("nats", "memory-bus")),
    replicas=st.dictionaries(LABELS, st.integers(1, 64), max_size=2),
    port=st.integers(0, 65535),
)
