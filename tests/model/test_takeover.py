"""Old applications and second versions in the model: what is refused, and what survives JSON."""

import msgspec
import pytest

from shoal.errors import DeclarationError
from shoal.model.legacy import Legacy, LegacyRoute, State, Turn
from shoal.model.rollout import Rollout, Split
from shoal.model.system import Gateway, System, from_json, to_json
from shoal.model.takeover import takeovers
from shoal.model.target import Target
from tests.mesh.samples import TINY

ROUTES = (
    LegacyRoute(name="product", path="/products/{code}", ignore=("/links/*",)),
    LegacyRoute(name="price", method="POST", path="/prices"),
    LegacyRoute(name="place", method="POST", path="/orders", idempotent=True),
)


def system(*routes: LegacyRoute) -> System:
    legacy = (Legacy(name="old", module="old", routes=routes),)
    return msgspec.structs.replace(TINY, gateway=msgspec.structs.replace(TINY.gateway, legacy=legacy))


def test_a_system_with_an_old_application_survives_json() -> None:
    assert from_json(to_json(system(*ROUTES))) == system(*ROUTES)
    target = Target(splits={"orders": Split(weight=10)}, turns={"product": Turn(state="shift", weight=5)})
    assert msgspec.json.decode(msgspec.json.encode(target), type=Target) == target


def test_who_declares_the_path_for_the_outside_takes_over() -> None:
    found = {one.route.name: f"{one.service}.{one.endpoint}" for one in takeovers(system(*ROUTES), Target())}
    assert found == {"product": "products.get", "price": ".", "place": "orders.place"}  # prices are for services only


@pytest.mark.parametrize("state", ["shift", "done"])
def test_nothing_moves_on_to_a_service_that_is_not_there(state: State) -> None:
    with pytest.raises(DeclarationError, match="no service takes over POST /prices"):
        takeovers(system(*ROUTES), Target(turns={"price": Turn(state=state, weight=1)}))


def test_what_is_declared_idempotent_may_be_compared() -> None:
    found = takeovers(system(*ROUTES), Target(turns={"place": Turn(state="shadow")}))
    assert [one.route.state for one in found] == ["record", "record", "shadow"]


def test_one_path_has_one_old_application() -> None:
    with pytest.raises(DeclarationError, match="declared twice"):
        system(LegacyRoute(name="a", path="/x/{y}"), LegacyRoute(name="b", path="/x/{z}"))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Split(weight=101),
        lambda: Split(version="stable"),
        lambda: Rollout(requests=0),
        lambda: Rollout(errors=1.0),
        lambda: Legacy(name="old", routes=()),
        lambda: LegacyRoute(name="a", path="/x", weight=-1),
        lambda: LegacyRoute(name="a", path="/x", ignore=("x",)),
        lambda: LegacyRoute(name="a", method="POST", path="/x", state="shadow"),
        lambda: System(name="s", services=(), gateway=Gateway(legacy=(Legacy(name="gateway", port=1, routes=()),))),
    ],
)
def test_nonsense_is_refused(wrong: "object") -> None:
    with pytest.raises(DeclarationError):
        wrong()  # type: ignore[operator]
