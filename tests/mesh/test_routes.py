"""Path templates match what the reference matcher matches, and nothing else."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shoal.errors import DeclarationError
from shoal.mesh import routes
from shoal.model.service import Policy
from tests.mesh.samples import endpoint

PIECES = st.sampled_from(
    ["orders", "summary", "a", ".", "..", "...", ".a", "..a", "", "a.b", "x;y", "%2F", "a%20b", "{", "\n"]
)
LITERALS = st.sampled_from(["orders", "summary", "v1.0", "a-b", "a:b", "a+b", ".well-known", "a_b~c"])
TEMPLATES = st.lists(LITERALS | st.just("{x}"), min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
PATHS = st.lists(PIECES | LITERALS, max_size=5).map(lambda parts: "/" + "/".join(parts))


def reference(template: str, path: str) -> bool:
    """Match segment by segment, as a person would read the template."""
    wanted, given_ = template.split("/"), path.split("/")
    return len(wanted) == len(given_) and all(
        got not in ("", ".", "..") if want == "{x}" else unquote(got) == want
        for want, got in zip(wanted, given_, strict=True)
    )


@given(template=TEMPLATES, path=PATHS)
@example(template="/{x}", path="/")
@example(template="/{x}", path="/..")
@example(template="/{x}", path="/a/b")
@example(template="/v1.0", path="/v1x0")
@example(template="/a:b", path="/a%3ab")
def test_expression_is_the_reference(template: str, path: str) -> None:
    assert bool(re.fullmatch(routes.expression(template), path)) == reference(template, path)


@given(segment=st.text(st.characters(exclude_characters="/"), min_size=1))
def test_a_parameter_takes_any_segment_but_dots(segment: str) -> None:
    assert bool(re.fullmatch(routes.SEGMENT, segment)) == (segment not in (".", ".."))


@given(template=TEMPLATES)
def test_a_template_matches_itself_filled_in(template: str) -> None:
    assert re.fullmatch(routes.expression(template), template.replace("{x}", "42"))


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("/orders", {"path": "/orders"}),
        ("/v1.0/a-b_c~d", {"path": "/v1.0/a-b_c~d"}),
        ("/orders/{id}", {"safe_regex": {"regex": f"/orders/{routes.SEGMENT}"}}),
        ("/a:b", {"safe_regex": {"regex": "/a(?::|(?i:%3A))b"}}),
    ],
)
def test_plain_literals_need_no_expression(path: str, match: object) -> None:
    assert routes.matches_path(path) == match


def test_closest_route_comes_first() -> None:
    paths = ["/{a}/b", "/a/{b}", "/{a}/{b}", "/a/b", "/a"]
    ordered = routes.in_order(endpoint(f"e{i}", "GET", path) for i, path in enumerate(paths))
    assert [each.path for each in ordered] == ["/a", "/a/b", "/a/{b}", "/{a}/b", "/{a}/{b}"]


def test_other_methods_of_a_known_path_are_told_which_exist() -> None:
    known = [endpoint("get", "GET", "/o/{id}"), endpoint("put", "PUT", "/o/{other}"), endpoint("add", "POST", "/o")]
    first, second = routes.wrong_methods(known)
    assert first["direct_response"] == {"status": 405}
    assert first["response_headers_to_add"] == [{"header": {"key": "allow", "value": "GET, PUT"}}]
    assert second["response_headers_to_add"] == [{"header": {"key": "allow", "value": "POST"}}]


def test_a_literal_comes_before_a_parameter_whatever_their_names() -> None:
    paths = ("/a/{aaa}/{b}", "/a/{zzz}/id", "/a/{b}/me")
    ordered = routes.in_order(endpoint(f"e{i}", "GET", path) for i, path in enumerate(paths))
    assert [o.path for o in ordered] == ["/a/{zzz}/id", "/a/{b}/me", "/a/{aaa}/{b}"]


@given(shares=st.dictionaries(st.text(min_size=1), st.floats(0, 1e6), min_size=1).filter(lambda s: sum(s.values())))
def test_weights_are_the_shares_and_nothing_with_a_share_is_left_out(shares: dict[str, float]) -> None:
    clusters = routes.weighted(shares, Policy())["weighted_clusters"]["clusters"]
    whole = sum(shares.values())
    for cluster in clusters:
        part = shares[cluster["name"]]
        assert (cluster["weight"] > 0) == (part > 0)
        assert abs(cluster["weight"] - 10_000 * part / whole) <= 1


@pytest.mark.parametrize("shares", [{}, {"a": 0.0}, {"a": 2.0, "b": -1.0}])
def test_shares_that_divide_nothing_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(DeclarationError, match="divide nothing"):
        routes.weighted(shares, Policy())
