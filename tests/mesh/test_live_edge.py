"""The edge lets in the declared routes with valid tokens, and says little about the rest."""

import pytest

from shoal.model.edge import LARGEST
from tests.mesh.wire import Answer, App, eventually_true
from tests.mesh.world import World, new_signer

pytestmark = pytest.mark.live

INSIDE_WORDS = (b"jwt", b"Jwt", b"upstream", b"rbac", b"RBAC", b"envoy", b"cluster", b"socket")


def assert_problem(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer
    assert answer.json["type"] == f"urn:shoal:problem:{code}"
    assert answer.json["status"] == status
    assert not [word for word in INSIDE_WORDS if word in answer.body]
    assert not inside_headers(answer)
    assert answer.headers["server"] == "tiny"


def inside_headers(answer: Answer) -> list[str]:
    said = ("x-content-type-options", "x-frame-options")
    return [name for name in answer.headers if name.startswith("x-") and name not in said]


async def test_declared_routes_pass(world: World, apps: dict[str, App]) -> None:
    answer = await world.edge("GET /products/42?color=red")
    assert (answer.status, answer.json["app"], answer.json["path"]) == (200, "products", "/products/42?color=red")
    assert (await world.edge("POST /login", body=b"x" * 300_000)).json["size"] == 300_000
    assert (await world.edge("GET /orders/7", headers=world.bearer())).json["app"] == "orders"


async def test_the_token_goes_on_to_the_service(world: World, apps: dict[str, App]) -> None:
    headers = world.bearer()
    answer = await world.edge("GET /orders/7", headers=headers)
    assert answer.json["headers"]["authorization"] == headers["authorization"]


@pytest.mark.parametrize(
    ("claims", "without"),
    [
        ({"exp": 1}, ()),
        ({"aud": "another-api"}, ()),
        ({"iss": "https://another.example"}, ()),
        ({"nbf": 32503680000}, ()),
        ({}, ("aud",)),
        ({}, ("exp",)),
        ({}, ("iss",)),
    ],
)
async def test_other_tokens_are_refused(
    world: World, apps: dict[str, App], claims: dict[str, object], without: tuple[str, ...]
) -> None:
    token = world.token(claims, without=without)
    answer = await world.edge("GET /orders/7", headers=world.bearer(token))
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert not apps["orders"].seen


@pytest.mark.parametrize(
    "value",
    [
        "Bearer a.b.c",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2F1dGgudGlueS5leGFtcGxlIn0.",
        "",
    ],
)
async def test_no_tokens_are_refused(world: World, apps: dict[str, App], value: str) -> None:
    answer = await world.edge("GET /orders/7", headers={"authorization": value} if value else {})
    assert_problem(answer, 401, "unauthenticated")
    assert not apps["orders"].seen


async def test_a_stranger_with_our_key_id_is_refused(world: World, apps: dict[str, App]) -> None:
    forged = world.token(key=new_signer("one"))
    assert_problem(
        await world.edge("GET /orders/7", headers={"authorization": f"Bearer {forged}"}), 401, "unauthenticated"
    )


async def test_tokens_in_the_query_count_for_nothing(world: World, apps: dict[str, App]) -> None:
    answer = await world.edge(f"GET /orders/7?access_token={world.token()}")
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_bad_token_does_not_close_what_is_open_to_anyone(world: World, apps: dict[str, App]) -> None:
    assert (await world.edge("POST /login", headers={"authorization": "Bearer a.b.c"})).status == 200


async def test_new_keys_are_read_without_a_restart(world: World, apps: dict[str, App]) -> None:
    new = new_signer("two")
    headers = world.bearer(world.token(key=new))
    assert (await world.edge("GET /orders/7", headers=headers)).status == 401
    world.publish_keys(world.signer, new)
    await eventually_true(lambda: _is(world, headers, 200))
    world.publish_keys(new)
    await eventually_true(lambda: _is(world, world.bearer(), 401))
    assert (await world.edge("GET /orders/7", headers=headers)).status == 200


async def _is(world: World, headers: dict[str, str], status: int) -> bool:
    return (await world.edge("GET /orders/7", headers=headers)).status == status


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        ("GET /", 404, "not-found"),
        ("GET /orders/7/lines", 404, "not-found"),
        ("GET /products/", 404, "not-found"),
        ("GET /PRODUCTS/1", 404, "not-found"),
        ("POST /prices", 404, "not-found"),
        ("GET /health", 404, "not-found"),
        ("GET /products/secret", 403, "forbidden"),
        ("GET /products/%73ecret", 403, "forbidden"),
        ("GET /products/x/../secret", 403, "forbidden"),
        ("GET /products/x/%2e%2E/secret", 403, "forbidden"),
        ("GET /products/x/..;/secret", 403, "forbidden"),
        ("GET //products//secret", 403, "forbidden"),
        ("GET /products\\secret", 403, "forbidden"),
        ("GET /products/x%2f..%2fsecret", 400, "bad-request"),
        ("GET /products/x%5csecret", 400, "bad-request"),
        ("GET /products/x%00", 400, "bad-request"),
        ("GET /products/x#/../secret", 400, "bad-request"),
    ],
)
async def test_what_is_not_declared_is_not_there(
    world: World, apps: dict[str, App], line: str, status: int, code: str
) -> None:
    assert_problem(await world.edge(line), status, code)
    assert not apps["products"].seen


async def test_wrong_methods_are_told_the_right_ones(world: World, apps: dict[str, App]) -> None:
    answer = await world.edge("PUT /products/42")
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "DELETE, GET"


async def test_large_bodies_and_odd_headers_are_refused(world: World, apps: dict[str, App]) -> None:
    assert_problem(await world.edge("POST /login", body=b"x" * (LARGEST + 1)), 413, "too-large")
    assert_problem(await world.edge("GET /products", headers={"x_user": "root"}), 400, "bad-request")
    assert not apps["auth"].seen


async def test_a_service_without_replicas_is_unavailable(world: World) -> None:
    assert_problem(await world.edge("GET /products"), 503, "unavailable")


FORGED = {
    "x-envoy-upstream-rq-timeout-ms": "600000",
    "x-envoy-expected-rq-timeout-ms": "600000",
    "x-envoy-max-retries": "50",
    "x-envoy-retry-on": "5xx",
    "x-envoy-original-path": "/secret",
    "x-envoy-internal": "forged",
    "x-envoy-decorator-operation": "forged",
    "x-forwarded-for": "10.9.8.7",
    "x-forwarded-host": "forged",
    "x-forwarded-proto": "forged",
    "x-forwarded-client-cert": "URI=spiffe://tiny/orders",
    "x-real-ip": "10.9.8.7",
    "forwarded": "for=10.9.8.7",
    "x-original-url": "/secret",
    "x-rewrite-url": "/secret",
    "x-http-method-override": "DELETE",
    "x-request-id": "forged",
}


@pytest.mark.parametrize("name", sorted(FORGED))
async def test_headers_that_only_we_may_set_are_not_believed(world: World, apps: dict[str, App], name: str) -> None:
    seen = (await world.edge("GET /products/42", headers={name: FORGED[name]})).json["headers"]
    assert FORGED[name] not in seen.get(name, "")
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-client-cert"].endswith("URI=spiffe://tiny/gateway")
    assert seen["x-envoy-expected-rq-timeout-ms"] == "5000"


async def test_trace_context_passes_and_the_inside_does_not_show(world: World, apps: dict[str, App]) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = await world.edge("GET /products/42", headers={"traceparent": trace, "tracestate": "a=b"})
    _, trace_id, parent, flags = answer.json["headers"]["traceparent"].split("-")
    assert (trace_id, flags) == (trace.split("-")[1], "01")
    assert parent != trace.split("-")[2], "the edge is a step of its own"
    assert answer.json["headers"]["tracestate"] == "a=b"
    assert answer.headers["server"] == "tiny"
    assert not inside_headers(answer)
