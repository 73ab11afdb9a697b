"""Consumers' keys: changed by one at a time, and everywhere where Envoy reads them."""

import threading
from pathlib import Path

from shoal.local import key_sets, keys
from shoal.local.layout import layout_of, make
from shoal.mesh.layout import Layout
from shoal.mesh.tokens import TOKENS
from shoal.model.issuers import CONSUMERS, Consumer
from shoal.model.plan import plan
from shoal.model.system import Gateway, System
from shoal.model.target import LOCAL
from tests.mesh.samples import PRODUCTS

PLAN = plan(System(name="keyed", services=(PRODUCTS,), gateway=Gateway(consumers=(Consumer(name="partner-x"),))), LOCAL)


def test_a_changed_key_set_is_also_what_is_read_again(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    make(layout)
    mesh = Layout(root=str(tmp_path / "mesh"), sockets=str(layout.sockets), port=8000, services=("products",))
    for folder in mesh.directories:
        Path(folder).mkdir(parents=True, exist_ok=True)
    first = keys.create(layout.secrets, "keyed", "partner-x", 1)[0]
    key_sets.place(PLAN.system.gateway, layout, mesh)
    keys.revoke(layout.secrets, first.id)
    second = keys.create(layout.secrets, "keyed", "partner-x", 1)[0]
    key_sets.renew(PLAN, layout, mesh)
    for file in (mesh.jwks(CONSUMERS), mesh.path(TOKENS)):
        text = Path(file).read_text("utf-8")
        assert second.id in text
        assert first.id not in text


def test_two_who_change_keys_at_the_same_time_lose_none(tmp_path: Path) -> None:
    with keys.held(tmp_path):
        makers = [threading.Thread(target=keys.create, args=(tmp_path, "keyed", f"p{n}", 1)) for n in range(4)]
        for maker in makers:
            maker.start()
        assert keys.read(tmp_path) == ()
    for maker in makers:
        maker.join(20)
    made = keys.read(tmp_path)
    assert {key.consumer for key in made} == {"p0", "p1", "p2", "p3"}
    enders = [threading.Thread(target=keys.revoke, args=(tmp_path, key.id)) for key in made]
    for ender in enders:
        ender.start()
    for ender in enders:
        ender.join(20)
    assert keys.read(tmp_path) == ()
