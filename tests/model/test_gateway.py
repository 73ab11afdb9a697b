"""What authors may say of the gateway, and what is refused when they say it."""

import msgspec
import pytest

from shoal.errors import DeclarationError, PlanError
from shoal.model.cors import Cors
from shoal.model.plan import plan
from shoal.model.security import SecurityHeaders
from shoal.model.system import Gateway, System, from_json, to_json
from shoal.model.target import LOCAL, MEMORY, ONE_PROCESS, with_options
from shoal.model.tls import Tls


def test_every_origin_with_credentials_is_refused() -> None:
    with pytest.raises(DeclarationError, match="any page could act as its visitor"):
        Cors(origins=("*",), credentials=True)
    assert Cors(origins=("https://a.example",), credentials=True).credentials
    assert not Cors(origins=("*",)).credentials


@pytest.mark.parametrize(
    "origin",
    ["", "null", "https://A.example", "https://a.example/", "a.example", "https://*.example", "ftp://a", "https://a:x"],
)
def test_what_no_browser_sends_is_no_origin(origin: str) -> None:
    with pytest.raises(DeclarationError, match="is no origin"):
        Cors(origins=(origin,))


@pytest.mark.parametrize(("field", "name"), [("methods", "*"), ("headers", "*"), ("exposed", "a b"), ("headers", "")])
def test_names_are_listed_one_by_one(field: str, name: str) -> None:
    with pytest.raises(DeclarationError, match="no name"):
        msgspec.convert({"origins": ["*"], field: [name]}, Cors)


def test_a_header_cannot_begin_another() -> None:
    with pytest.raises(DeclarationError):
        SecurityHeaders(content_security_policy="default-src 'none'\r\nset-cookie: a=b")
    with pytest.raises(DeclarationError):
        SecurityHeaders(referrer_policy="%DOWNSTREAM_REMOTE_ADDRESS%")


@pytest.mark.parametrize("names", [(), ("no host",), ("LOCALHOST",), ("a..b",), ("*",)])
def test_a_certificate_needs_names(names: tuple[str, ...]) -> None:
    with pytest.raises(DeclarationError, match="a certificate for"):
        Tls(names=names)


def test_names_of_this_machine_are_known() -> None:
    assert Tls().local
    assert Tls(names=("shop.localhost", "127.0.0.9")).local
    assert not Tls(names=("localhost", "shop.example")).local


def test_it_survives_json() -> None:
    gateway = Gateway(
        cors=Cors(origins=("https://a.example",), methods=("GET",)),
        headers=SecurityHeaders(frame_options=""),
        tls=Tls(minimum="1.3"),
    )
    system = System(name="tiny", services=(), gateway=gateway)
    assert from_json(to_json(system)) == system


def test_tls_is_where_there_is_a_proxy() -> None:
    plain = System(name="tiny", services=())
    secured = msgspec.structs.replace(plain, gateway=Gateway(tls=Tls()))
    assert plan(plain, LOCAL).tls is None
    assert plan(plain, with_options(LOCAL, tls=True)).tls == Tls()
    assert plan(secured, LOCAL).tls == Tls()
    assert plan(secured, MEMORY).require().tls is None
    with pytest.raises(PlanError, match="no proxy"):
        plan(plain, with_options(ONE_PROCESS, tls=True)).require()
