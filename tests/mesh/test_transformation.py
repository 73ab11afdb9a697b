"""What may be changed between client and service, and what a rewritten path becomes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.errors import DeclarationError
from shoal.mesh import routes
from shoal.mesh.transformation import rewrite
from shoal.model.edge import MOST, Edge
from shoal.model.plan import Route
from shoal.model.service import Access, Endpoint, Parameter, Policy
from shoal.model.shaping import Headers, Transform
from shoal.model.system import System, from_json, to_json
from tests.mesh.samples import ANYONE, service

WORDS = st.text("abcxyz0189-._~", min_size=1, max_size=8).filter(lambda word: word not in (".", ".."))


def route(outside: str, inside: str) -> Route:
    return Route(
        service="s",
        endpoint="e",
        method="GET",
        path=outside,
        inside=inside,
        access=Access(),
        policy=Policy(),
        edge=Edge(),
    )


@given(st.dictionaries(st.sampled_from("abcd"), WORDS, min_size=1), st.permutations(range(4)), WORDS)
def test_parameters_keep_their_values_whatever_their_order(values: dict[str, str], order: list[int], word: str) -> None:
    names = list(values)
    turned = sorted(names, key=lambda name: order[names.index(name)])
    outside = "/shop" + "".join(f"/{{{name}}}" for name in names)
    inside = "".join(f"/{{{name}}}/{word}" for name in turned)
    written = rewrite(route(outside, inside))
    sent = "/shop" + "".join(f"/{values[name]}" for name in names)
    known = "".join(f"/{values[name]}/{word}" for name in turned)
    assert re.fullmatch(written["pattern"]["regex"], sent)
    assert re.sub(written["pattern"]["regex"], written["substitution"], sent) == known


def test_what_services_tell_of_themselves_is_found_behind_other_paths() -> None:
    assert routes.outside(route("/x/{page}", "/{page}"), "/health") == "/x/health"
    assert routes.outside(route("/x/{page}", "/y/{page}"), "/health") is None


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "X-Envoy-Retry-On", "x-forwarded-for", "authorization", "a_b", "a b", "", "a:"]
)
def test_headers_that_others_rely_on_cannot_be_changed(name: str) -> None:
    for change in ({"set": {name: "1"}}, {"add": {name: "1"}}, {"remove": (name,)}):
        with pytest.raises(DeclarationError, match="header"):
            Headers(**change)


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\x00", "ä"])
def test_values_cannot_begin_another_header(value: str) -> None:
    with pytest.raises(DeclarationError, match="no value of a header"):
        Headers(set={"x-a": value})


def renamed(outside: str) -> Endpoint:
    parameters = (Parameter(name="sku", place="path", schema={}),)
    edge = Edge(transform=Transform(path=outside))
    return Endpoint(name="get", method="GET", path="/products/{sku}", access=ANYONE, parameters=parameters, edge=edge)


def test_a_path_outside_needs_the_parameters_of_the_one_inside() -> None:
    with pytest.raises(DeclarationError, match="their parameters differ"):
        renamed("/catalogue/{id}")
    with pytest.raises(DeclarationError, match="not an absolute path"):
        renamed("catalogue/{sku}")


@pytest.mark.parametrize("size", [0, -1, MOST + 1])
def test_sizes_that_cannot_be_meant_are_refused(size: int) -> None:
    with pytest.raises(DeclarationError, match="no size of a body"):
        Edge(largest=size)


def test_it_survives_json() -> None:
    system = System(name="s", services=(service("products", renamed("/catalogue/{sku}")),))
    assert from_json(to_json(system)) == system
