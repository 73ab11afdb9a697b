"""Addresses come from one place, and fit."""

import pytest

from shoal.errors import DeclarationError, HostError
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import SOCKET_LIMIT, Layout, Pipe, Tcp, layout_for
from tests.mesh.samples import PAIR, planned


def test_all_addresses_differ() -> None:
    layout = layout_for(planned(PAIR), root="/r")
    found = [layout.edge(), layout.admin(), layout.replica("shop", 0), layout.replica("shop", 1)]
    found += [hop(name) for name in layout.services for hop in (layout.inbound, layout.outbound)]
    assert len(set(found)) == len(found)
    assert layout.edge() == Tcp(host="127.0.0.1", port=8080)


@pytest.mark.parametrize(("length", "fits"), [(SOCKET_LIMIT, True), (SOCKET_LIMIT + 1, False)])
def test_sockets_that_would_be_cut_short_are_refused(length: int, fits: bool) -> None:
    longest = "/s/products.9999"
    root = "/" + "r" * (length - len(longest) - 1)
    if fits:
        assert len(layout_for(planned(PAIR), root=root).replica("products", 9999).path) == SOCKET_LIMIT
    else:
        with pytest.raises(HostError, match="takes 104 bytes; the system allows 103"):
            layout_for(planned(PAIR), root=root)
        assert layout_for(planned(PAIR), root=root, sockets="/short").inbound("shop") == Pipe(path="/short/shop.in")


def test_relative_directories_are_refused() -> None:
    with pytest.raises(DeclarationError, match="'here' of the mesh is not absolute"):
        layout_for(planned(PAIR), root="here")


def test_hops_on_tcp_come_from_the_same_functions() -> None:
    plan = planned(PAIR)
    remote = Tcp(host="127.0.0.1", port=9001)
    layout = Layout(
        root="/r", sockets="/s", port=1, services=("products", "shop"), overrides={"inbound.products": remote}
    )
    clusters = next(a.text for a in compile_mesh(plan, layout) if a.path == "cds/clusters.json")
    assert '"port_value": 9001' in clusters
    assert "/s/products.in" not in clusters
