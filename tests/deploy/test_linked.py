"""Two root modules that refer to each other's things: what is named, what is looked up, and what is there later."""

import pytest

from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.linked import Link, linked
from shoal.deploy.cloud.switches import after, only
from shoal.deploy.terraform.printer import document
from shoal.deploy.terraform.values import Block, Call, Raw, Text, Value, block, items

FIRST = {
    "main": [
        resource("google_ring", "main", *items({"name": "ring", "location": "here", "size": 3})),
        resource("google_key", "main", *items({"name": "key", "ring": Raw("google_ring.main.id")})),
        resource("google_topic", "sold", *items({"name": "SOLD"})),
    ]
}
LINK = Link(
    names={"google_ring": ("name", "location"), "google_key": ("name", "ring")},
    spelled=lambda thing, attribute, _: (
        Raw('"ids/${var.number}/sold"') if (thing[1], attribute) == ("sold", "id") else None
    ),
    late=frozenset({"google_service"}),
)
APP = resource("google_service", "app", *items({"name": "app", "key": Raw("google_key.main.id")}))


def written(*own: Block, link: Link = LINK) -> str:
    found = linked({"main": own}, FIRST, link)
    return "\n".join(document(blocks) for blocks in found.values())


def test_what_the_first_says_in_plain_text_is_named() -> None:
    said: dict[str, Value] = {
        "topic": Raw("google_topic.sold.name"),
        "all": Text(("x-", Raw("google_topic.sold.name"))),
    }
    text = written(resource("google_right", "own", *items(said)))
    assert 'topic = "SOLD"' in text
    assert 'all   = "x-SOLD"' in text
    assert "data " not in text


def test_what_has_a_form_of_its_own_is_spelled_and_the_rest_is_looked_up_with_what_that_asks_for() -> None:
    text = written(
        resource("google_a", "one", *items({"id": Raw("google_topic.sold.id")})),
        resource(
            "google_b",
            "two",
            *items({"keys": [Raw("google_key.main.id")], "n": Call("abs", (Raw("google_key.main.id"),))}),
        ),
    )
    assert 'id = "ids/${var.number}/sold"' in text
    assert "keys = [data.google_key.main.id]" in text
    assert "abs(data.google_key.main.id)" in text
    assert text.count('data "google_key" "main"') == 1
    assert "ring = data.google_ring.main.id" in text
    assert 'location = "here"' in text
    assert "size" not in text


def test_what_starts_later_is_counted_and_so_is_what_refers_to_it_at_any_distance() -> None:
    text = written(
        APP,
        resource("google_right", "calls", *items({"on": Raw("google_service.app.name")})),
        resource("google_alarm", "busy", *items({"about": "x", "depends_on": [Raw("google_right.calls")]})),
        resource("google_bucket", "own", *items({"name": "own"})),
    )
    assert text.count("count") == 3
    assert "on    = google_service.app[0].name" in text
    assert 'resource "google_bucket" "own" {\n  name = "own"\n}' in text


def test_what_is_turned_by_the_variable_itself_is_there_at_all_times() -> None:
    text = written(
        APP,
        resource(
            "google_door",
            "main",
            *items({"to": after(Raw("google_service.app.id"), "first")}, only(block("kept", days=3))),
        ),
        block("output", "where", value=Raw("google_service.app.uri")),
    )
    assert 'to = var.take_over ? one(google_service.app[*].id) : "first"' in text
    assert "value = one(google_service.app[*].uri)" in text
    assert "for_each = var.take_over ? [1] : []" in text
    assert text.count("count") == 1


def test_nobody_waits_for_what_is_made_elsewhere() -> None:
    waits: dict[str, Value] = {"name": "x", "depends_on": [Raw("google_key.main"), Raw("google_service.app")]}
    text = written(
        APP,
        resource("google_a", "one", *items(waits)),
        resource("google_b", "two", *items({"depends_on": [Raw("google_key.main")]})),
    )
    assert "depends_on = [google_service.app]" in text
    assert text.count("depends_on") == 1


def test_what_neither_makes_or_nobody_knows_how_to_find_is_a_mistake_of_the_compiler() -> None:
    with pytest.raises(KeyError, match="nobody"):
        written(resource("google_a", "one", *items({"x": Raw("google_key.nobody.id")})))
    with pytest.raises(KeyError, match="google_key"):
        written(APP, link=Link(late=frozenset({"google_service"})))
