"""Whose pages may open sockets: the gateway's own, by scheme, name and port, and those that CORS names."""

from shoal.model.cors import Cors
from shoal.model.origins import origins
from shoal.model.system import Gateway, System
from shoal.model.tls import Tls
from tests.mesh.samples import planned


def known(gateway: Gateway, port: int) -> tuple[str, ...] | None:
    return origins(planned(System(name="origins", services=(), gateway=gateway), port=port))


def test_origins_are_as_browsers_send_them() -> None:
    assert known(Gateway(), 8000) == ("http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000")
    secure = Gateway(tls=Tls(names=("shop.example", "::1")), cors=Cors(origins=("https://app.example",)))
    assert known(secure, 443) == ("https://shop.example", "https://[::1]", "https://app.example")


def test_every_origin_is_none_in_particular() -> None:
    assert known(Gateway(cors=Cors(origins=("*",))), 8000) is None
