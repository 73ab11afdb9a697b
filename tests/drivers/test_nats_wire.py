"""What JetStream writes and reads."""

from shoal.drivers.nats import wire

META = wire.Metadata(stream="S", sequence=7, number=1, at=0)


def test_what_a_publisher_asked_of_the_server_is_no_part_of_the_message() -> None:
    received = {"Nats-Msg-Id": "m", "Nats-Expected-Stream": "S", "Nats-Rollup": "all", "ce-id": "1"}
    found = wire.message("s", META, b"", received)
    assert (found.id, found.headers) == ("m", {"ce-id": "1"})
    assert wire.headers(found) == {"Nats-Msg-Id": "m", "ce-id": "1"}


def test_a_message_without_an_id_is_named_after_its_place() -> None:
    assert wire.message("s", META, b"", None).id == "S.7"
