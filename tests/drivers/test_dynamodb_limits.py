"""DynamoDB's limits and refusals, which an emulator seldom shows: what is asked then, and what is said."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoal.drivers import open_store
from shoal.drivers.aws.client import AwsClient, AwsRefusal
from shoal.drivers.base import Query, Table
from shoal.drivers.base.documents.engine import Hold, Numbered, Refused, Write
from shoal.drivers.base.documents.tables import OUTBOX
from shoal.drivers.dynamodb import asking, places, values
from shoal.errors import Contended, DeclarationError, TooLarge, Unavailable, Unstorable
from shoal.runtime import expiring
from tests.drivers.scripted_dynamo import FAILED, FINE, LOST, Answer, Client, canceled, engine, refusal

CUPS = Table(name="cups", key="id", columns=("id", "owner", "size"), unique=frozenset({"owner"}))
PLATES = Table(name="plates", key="id", columns=("id", "size"))


def put(key: str, **row: object) -> Write:
    return Write(table=PLATES, key=key, row={"id": key, **row})


def item(key: str, version: str = "1", **row: object) -> dict[str, Any]:
    columns = values.columns(PLATES, row)
    return {"k": values.value(key), "v": {"S": version}, "c": columns}


async def test_more_than_a_hundred_actions_are_refused_before_anything_is_asked() -> None:
    full, client = engine()
    hold = Hold(owner="me", kept="lease")
    await full.commit([put(str(number)) for number in range(99)], hold)
    assert len(client.asked[0][1]["TransactItems"]) == 100
    full, client = engine()
    with pytest.raises(TooLarge, match="101 items of DynamoDB, which commits 100 at most") as found:
        await full.commit([put(str(number)) for number in range(100)], hold)
    assert "fewer documents" in (found.value.hint or "")
    assert client.asked == []


async def test_more_than_four_megabytes_are_refused_before_anything_is_asked() -> None:
    full, client = engine()
    with pytest.raises(TooLarge, match="bytes, and DynamoDB commits 4194304 at most"):
        await full.commit([put(str(number), size="x" * 300_000) for number in range(20)])
    assert client.asked == []


async def test_no_two_actions_are_on_one_item() -> None:
    found, client = engine({}, {"Responses": {"t": []}})
    rows = [Write(table=CUPS, key="1", row={"owner": None}, how="change"), put("1", size=1), put("1", size=2)]
    rows.append(Write(table=CUPS, key="1", row={"id": "1", "owner": "ada", "size": 1}))
    await found.commit(rows)
    items = client.asked[-1][1]["TransactItems"]
    acts = [words for act in items for words in act.values()]
    keys = [str(words.get("Key") or {name: words["Item"][name] for name in "ps"}) for words in acts]
    assert len(keys) == len({*keys}) == 3  # a cup, its guard, a plate


async def test_two_documents_of_one_transaction_share_no_unique_value() -> None:
    found, client = engine()
    with pytest.raises(Refused) as refused:
        await found.commit(
            [Write(table=CUPS, key=key, row={"id": key, "owner": "ada", "size": 1}, how="insert") for key in "12"]
        )
    assert (refused.value.held, refused.value.column) == ("unique", "owner")
    assert client.asked == []


async def test_a_transaction_whose_answer_was_lost_is_repeated_under_its_token() -> None:
    found, client = engine(LOST, LOST, {})
    await found.commit([put("1"), put("2")])
    assert len(client.asked) == 3
    assert len({*client.said("ClientRequestToken")}) == 1
    found, client = engine(LOST, LOST, LOST, LOST)
    with pytest.raises(Unavailable):
        await found.commit([put("1"), put("2")])


async def test_a_single_write_whose_answer_was_lost_is_never_repeated() -> None:
    found, client = engine(LOST)
    with pytest.raises(Unavailable):
        await found.commit([put("1")])
    assert len(client.asked) == 1


@pytest.mark.parametrize(
    "first",
    [
        refusal("ProvisionedThroughputExceededException"),
        refusal("ThrottlingException"),
        refusal("TransactionInProgressException"),
        canceled({"Code": "ThrottlingError"}, FINE),
    ],
)
async def test_who_is_throttled_asks_the_same_again(first: AwsRefusal) -> None:
    found, client = engine(first, first, {})
    await found.commit([put("1"), put("2")])
    assert len(client.asked) == 3
    assert len({*client.said("ClientRequestToken")}) == 1


async def test_who_is_throttled_for_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "THROTTLED", -1.0)
    found, _ = engine(*[refusal("ThrottlingException")] * 9)
    with pytest.raises(Unavailable, match="throttled"):
        await found.commit([put("1")])


async def test_who_meets_another_transaction_tries_anew() -> None:
    found, client = engine(canceled({"Code": "TransactionConflict"}, FINE), {})
    await found.commit([put("1"), put("2")])
    assert len({*client.said("ClientRequestToken")}) == 2


@pytest.mark.parametrize(
    ("there", "held"), [(item("1"), "key"), ({"v": {"S": "1"}, "n": {"N": "9"}}, None), (item("1", "2"), "version")]
)
async def test_a_refused_condition_says_what_contradicts(there: Mapping[str, Any], held: str | None) -> None:
    how = {"version": {"version": "1"}}.get(held or "", {"how": "insert"})
    write = Write(table=PLATES, key="1", row={"id": "1"}, **cast("Any", how))
    found, client = engine(canceled({**FAILED, "Item": there}, FINE), {})
    if held is None:  # only the number of a removed row was higher: it is drawn anew
        await found.commit([write, put("2")])
        assert len(client.asked) == 2
        return
    with pytest.raises(Refused) as refused:
        await found.commit([write, put("2")])
    assert refused.value.held == held


async def test_a_lost_lock_is_told_and_the_commit_not_repeated() -> None:
    found, client = engine(canceled(FINE, FAILED))
    with pytest.raises(Contended, match="lock was lost"):
        await found.commit([put("1")], Hold(owner="me", freed=("row plates '1'",)))
    assert len(client.asked) == 1


async def test_a_row_is_never_written_behind_a_higher_number() -> None:
    entry = Write(table=OUTBOX, key=7, row={"position": 7, "waits": True}, how="insert")
    found, client = engine({"Attributes": {"n": {"N": "7"}}}, canceled({**FAILED, "Item": item("1")}, FINE))
    client.answers += [{"Attributes": {"n": {"N": "8"}}}, {}]
    await found.commit([put("1")], None, Numbered(counter="outbox", count=1, make=lambda _: [entry]))
    last = client.asked[-1][1]["TransactItems"][0]["Update"]
    assert "n < :n" in last["ConditionExpression"]
    assert last["ExpressionAttributeValues"][":n"] == {"N": "8"}


async def test_an_item_that_is_too_large_is_unstorable() -> None:
    large = {"Code": "ValidationError", "Message": "Item size has exceeded the maximum allowed size"}
    found, _ = engine(canceled(large, FINE))
    with pytest.raises(Unstorable, match="size"):
        await found.commit([put("1"), put("2")])


async def test_keys_of_a_moment_that_ran_out_are_an_outage() -> None:
    found, _ = engine(refusal("ExpiredTokenException"))
    with pytest.raises(Unavailable, match="Expired"):
        await found.commit([put("1")])


async def test_keys_that_were_left_over_are_read_again_a_hundred_at_a_time() -> None:
    rest = [places.place(PLATES, "2", "").key]
    found, client = engine(
        {"Responses": {"t": [item("1")]}, "UnprocessedKeys": {"t": {"Keys": rest}}},
        {"Responses": {"t": [item("2")]}},
    )
    assert {one.key for one in await found.read(PLATES, ["1", "2"])} == {"1", "2"}
    assert client.said("RequestItems")[1]["t"] == {"Keys": rest, "ConsistentRead": True}
    found, client = engine(*[{"Responses": {}}] * 3)
    await found.read(PLATES, [str(number) for number in range(250)])
    assert sorted(len(asked["t"]["Keys"]) for asked in client.said("RequestItems")) == [50, 100, 100]


async def test_a_query_reads_consistently_and_every_page() -> None:
    pages: list[Answer] = [{"Items": [item("1")], "LastEvaluatedKey": {"p": "x"}}, {"Items": [item("2")]}]
    desk, client = asking.Desk(cast("AwsClient", two := Client(*pages)), "t"), two
    assert len(await desk.query("p")) == 2
    assert client.said("ConsistentRead") == [True, True]
    assert client.said("ExclusiveStartKey") == [None, {"p": "x"}]


async def test_a_search_looks_until_two_looks_agree() -> None:
    looks = [["1"], ["1", "2"], ["1", "2"]]
    empty: list[Answer] = [{"Items": []}] * (places.SHARDS - 1)
    script = [answer for look in looks for answer in ({"Items": [item(key) for key in look]}, *empty)]
    found, client = engine(*script)
    assert [one.key for one in await found.search(PLATES, Query())] == ["1", "2"]
    assert len(client.asked) == 3 * places.SHARDS


def cup(key: str, owner: str) -> dict[str, Any]:
    return {"s": {"S": places.name(key)}, **item(key), "c": values.columns(CUPS, {"owner": owner})}


async def test_what_is_removed_gives_up_its_unique_values_and_is_read_a_page_at_a_time() -> None:
    full: list[Answer] = [{"Items": [cup(str(number), f"of {number}") for number in range(100)]}]
    found, client = engine(*full, *[{}] * 100, {"Items": [cup("last", "ada")]}, {}, *[{"Items": []}] * 4)
    assert await found.remove(CUPS, Query()) == 101
    reads = [words for operation, words in client.asked if operation == "query"]
    assert {words["Limit"] for words in reads} == {100}
    assert reads[1]["ExpressionAttributeValues"][":s"] == {"S": places.name("99")}
    last = [words for operation, words in client.asked if operation == "transact_write_items"][-1]
    _, guard = (act["Delete" if "Delete" in act else "Update"] for act in last["TransactItems"])
    assert guard["Key"] == places.guard(CUPS, "owner", "ada").key


async def test_tidying_the_outbox_ends_at_the_first_page_of_what_is_younger() -> None:
    young = values.columns(OUTBOX, {"waits": False, "at": datetime(2026, 1, 2, tzinfo=UTC)})
    page = [{"s": {"S": places.name(n)}, "k": {"N": str(n)}, "v": {"S": "1"}, "c": young} for n in range(100)]
    found, client = engine(*[{"Items": page}] * places.SHARDS)
    done = Query(where={"waits": False, "refused": None}, at_most={"at": datetime(2026, 1, 1, tzinfo=UTC)})
    assert await found.remove(OUTBOX, done) == 0
    assert client.said("Limit") == [100] * places.SHARDS


@pytest.mark.parametrize("unique", [(), ("label",), ("label", "shelf", "code")])
async def test_expired_records_go_in_commits_that_it_takes(unique: tuple[str, ...]) -> None:
    table = Table(name="things", key="id", columns=("id", *unique), unique=frozenset(unique))
    names = [str(number) for number in range(expiring.some(table))]
    rows = [{**item(name), "c": values.columns(table, dict.fromkeys(unique, name))} for name in names]
    found, client = engine(*([{"Responses": {"t": rows}}] if unique else []))
    gone = [Write(table=table, key=name, row=None, version="1") for name in names]
    await found.commit(gone, Hold(owner="me", freed=tuple(f"row things {name!r}" for name in names)))
    assert len(client.asked[-1][1]["TransactItems"]) == len(names) * (2 + len(unique)) <= 100


MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5))]))
PLAIN = st.one_of(st.none(), st.booleans(), st.text(), st.binary(), st.integers(-(10**38) + 1, 10**38 - 1), MOMENTS)
KEYS = st.one_of(st.text(), st.binary(), st.integers(-(10**38) + 1, 10**38 - 1), MOMENTS)
NUMBERS = st.floats(allow_nan=False)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(PLAIN | NUMBERS)
def test_what_is_kept_comes_back(found: object) -> None:
    again = values.back(values.value(found))
    assert again == found
    assert type(again) is type(found)


@given(st.integers(-(10**37), 10**37), st.integers(-(10**37), 10**37))
def test_whole_numbers_lie_in_their_order(one: int, other: int) -> None:
    assert (places.name(one) < places.name(other)) == (one < other)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(st.lists(KEYS, unique=True, max_size=8))
def test_each_key_has_a_name_of_its_own(keys: list[object]) -> None:
    assert len({places.name(key) for key in keys}) == len(keys)
    assert all(len(places.name(key).encode()) <= 1024 for key in keys)


@pytest.mark.parametrize("bad", [10**38, object(), "\ud800"])
def test_what_dynamodb_cannot_hold_is_said(bad: object) -> None:
    with pytest.raises(Unstorable):
        values.value(bad)
    with pytest.raises(Unstorable):
        places.name("\ud800" if isinstance(bad, str) else object())


def test_a_key_that_is_too_long_is_a_digest_and_a_uuid_its_text() -> None:
    assert len(places.name("é" * 600)) == 65
    one = UUID(int=7)
    assert places.name(one) == places.name(str(one))


def test_an_address_names_a_table() -> None:
    with pytest.raises(DeclarationError, match="names no table"):
        open_store("dynamodb:///?region=eu-central-1")
