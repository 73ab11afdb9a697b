"""Settings: typed, named after their real variables, and silent about secrets."""

import logging
from typing import Annotated, Any, Literal

import msgspec
import pytest

from shoal import Secret, Service, Settings
from shoal.errors import SettingsError
from shoal.runtime.logs import Journal, JournalHandler
from shoal.service import codec
from tests.service.bound import described

CANARY = "c4n4ry-p4ssw0rd"


class Database(msgspec.Struct, frozen=True, kw_only=True):
    host: str
    port: Annotated[int, msgspec.Meta(ge=1)] = 5432
    password: Secret | None = None


class Desk(Settings, frozen=True, kw_only=True):
    url: str
    token: Secret
    retries: int = 3
    mode: Literal["fast", "safe"] = "safe"
    tags: tuple[str, ...] = ()
    spare: tuple[Secret, ...] = ()
    debug: bool = False
    note: str | None = None
    database: Database
    replica: Database = Database(host="nowhere")


FULL = {
    "ORDER_DESK__URL": "http://x",
    "ORDER_DESK__TOKEN": CANARY,
    "ORDER_DESK__RETRIES": "7",
    "ORDER_DESK__TAGS": '["a", "b"]',
    "ORDER_DESK__SPARE": f'["{CANARY}"]',
    "ORDER_DESK__DEBUG": "true",
    "ORDER_DESK__DATABASE__HOST": "db",
    "ORDER_DESK__DATABASE__PASSWORD": CANARY,
    "UNRELATED": "1",
}


def loaded(**changes: str) -> Desk:
    return Desk.load("order-desk", FULL | changes)


def test_values_are_converted_to_their_types() -> None:
    desk = loaded()
    assert (desk.retries, desk.mode, desk.tags, desk.debug, desk.note) == (7, "safe", ("a", "b"), True, None)
    assert (desk.database.host, desk.database.port) == ("db", 5432)
    assert desk.token.reveal() == CANARY
    assert desk.database.password == Secret(CANARY)
    assert desk.spare == (Secret(CANARY),)
    assert loaded(ORDER_DESK__NOTE="null").note == "null"


def test_every_fault_is_named_by_its_real_variable_at_once() -> None:
    environ = {
        "ORDER_DESK__RETRIES": "many",
        "ORDER_DESK__MODE": "wild",
        "ORDER_DESK__TAGS": "a",
        "ORDER_DESK__DATABASE__PORT": "0",
    }
    with pytest.raises(SettingsError) as caught:
        Desk.load("order-desk", environ)
    for said in (
        "ORDER_DESK__URL is not set (Desk.url: str)",
        "ORDER_DESK__TOKEN is not set (Desk.token: Secret)",
        "ORDER_DESK__RETRIES is malformed",
        "ORDER_DESK__MODE is malformed",
        "ORDER_DESK__TAGS is malformed",
        "ORDER_DESK__DATABASE__HOST is not set (Database.host: str)",
        "ORDER_DESK__DATABASE__PORT is malformed",
    ):
        assert said in caught.value.message
    assert caught.value.hint


def test_a_nested_default_holds_until_one_of_its_variables_is_set() -> None:
    assert loaded().replica == Database(host="nowhere")
    assert loaded(ORDER_DESK__REPLICA__HOST="b").replica.host == "b"
    with pytest.raises(SettingsError, match="ORDER_DESK__REPLICA__HOST is not set"):
        loaded(ORDER_DESK__REPLICA__PORT="1")


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        lambda desk: f"{desk.token} {desk.token!r}",
        lambda desk: codec.encode(desk).decode(),
        codec.to_plain,
        lambda desk: str(msgspec.structs.asdict(desk)),
    ],
)
def test_a_secret_does_not_show_itself(show: Any) -> None:
    shown = str(show(loaded()))
    assert CANARY not in shown
    assert "***" in shown


def test_a_secret_does_not_reach_the_log(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    journal = Journal("desk", "0")
    logger = logging.getLogger("tests.settings")
    logger.propagate, logger.handlers = False, [JournalHandler(journal)]
    logger.warning("settings are %s", loaded(), extra={"token": Secret(CANARY), "desk": loaded()})
    journal.flush()
    written = capsysbinary.readouterr().out
    assert b"settings are" in written
    assert CANARY.encode() not in written


def test_a_malformed_secret_is_not_quoted() -> None:
    with pytest.raises(SettingsError, match="ORDER_DESK__SPARE is malformed") as caught:
        loaded(ORDER_DESK__SPARE=f'[{{"{CANARY}": 1}}]')
    assert CANARY not in str(caught.value)


def test_secrets_compare_by_value() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("a") != "a"


def test_the_model_names_the_variables_and_marks_the_secrets() -> None:
    desk = Service("order-desk", settings=Desk)
    found = {s.variable: s for s in described(desk).settings}
    assert {v for v, s in found.items() if s.secret} == {
        "ORDER_DESK__TOKEN",
        "ORDER_DESK__SPARE",
        "ORDER_DESK__DATABASE__PASSWORD",
        "ORDER_DESK__REPLICA__PASSWORD",
    }
    assert {v for v, s in found.items() if s.required} == {
        "ORDER_DESK__URL",
        "ORDER_DESK__TOKEN",
        "ORDER_DESK__DATABASE__HOST",
    }
