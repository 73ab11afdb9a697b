"""One way to read and write structs, dataclasses and Pydantic models, alone and within each other."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, cast

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, Field, field_validator

from shoal import Page, PageRequest, Service, anyone
from shoal.errors import DeclarationError
from shoal.model.openapi import openapi
from shoal.service.codec import Codec, Malformed, encode, from_plain, to_plain
from tests.service.bound import described


class Line(msgspec.Struct, frozen=True):
    sku: str
    quantity: Annotated[int, msgspec.Meta(ge=1)] = 1


@dataclass(frozen=True)
class Parcel:
    lines: tuple[Line, ...]
    weight: Decimal = Decimal("1.50")
    tags: list[str] = field(default_factory=list)


class Street(BaseModel):
    number: int = Field(ge=1)


class Address(BaseModel):
    full_name: str = Field(alias="fullName")
    streets: list[Street]
    since: dt.date = dt.date(2020, 1, 2)

    @field_validator("full_name")
    @classmethod
    def not_blank(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("a name is not blank")
        return value


class Order(msgspec.Struct, frozen=True, kw_only=True):
    id: uuid.UUID
    address: Address
    parcels: list[Parcel]


ADDRESS = Address(fullName="Ann", streets=[Street(number=1)])
ORDER = Order(id=uuid.UUID(int=1), address=ADDRESS, parcels=[Parcel(lines=(Line("a"),))])
VALUES: tuple[tuple[Any, Any], ...] = (
    (Line, Line("a", 2)),
    (Parcel, Parcel(lines=(Line("a"),), weight=Decimal("0.10"))),
    (Address, ADDRESS),
    (Order, ORDER),
    (list[Address], [ADDRESS]),
    (Page[Address], PageRequest(path="/a").of([ADDRESS], total=1)),
    (Page[Order], PageRequest(path="/a").of([ORDER], total=1)),
    (dict[str, Parcel], {"x": Parcel(lines=())}),
)


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=lambda v: getattr(v, "__name__", str(v))[:20])
def test_a_value_survives_json_and_plain_values(kind: Any, value: Any) -> None:
    assert Codec(kind).decode(encode(value)) == value
    assert from_plain(to_plain(value), kind) == value


def test_exact_numbers_travel_as_text() -> None:
    assert encode(Parcel(lines=())) == b'{"lines":[],"weight":"1.50","tags":[]}'


def test_a_model_is_written_as_its_schema_says() -> None:
    assert b'"fullName":"Ann"' in encode(ADDRESS)


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        (Order, b'{"id":"x"}', "Invalid UUID - at `$.id`"),
        (Parcel, b'{"lines":[{"sku":"a","quantity":0}]}', "Expected `int` >= 1 - at `$.lines[0].quantity`"),
        (
            Address,
            b'{"fullName":"A","streets":[{"number":0}]}',
            "greater than or equal to 1 - at `$.streets[0].number`",
        ),
        (Address, b'{"streets":[]}', "Field required - at `$.fullName`"),
        (Address, b'{"fullName":" ","streets":[]}', "a name is not blank - at `$.fullName`"),
        (list[Address], b'[{"fullName":"A","streets":1}]', "valid list - at `$.streets` - at `$[0]`"),
        (Line, b"[]", "Expected `object`, got `array`"),
        (Line, b"{", "truncated"),
        (Line, b'{"sku":"\xff"}', "utf-8"),
        (Any, b"[" * 100_000, "recursion"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(kind: Any, body: bytes, said: str) -> None:
    with pytest.raises(Malformed) as caught:
        Codec(kind).decode(body)
    assert said in str(caught.value)


def test_both_faults_of_a_model_are_told() -> None:
    with pytest.raises(Malformed) as caught:
        Codec(Address).decode(b'{"streets":[{"number":"many"}]}')
    assert "$.fullName" in str(caught.value)
    assert "$.streets[0].number" in str(caught.value)


def test_what_has_no_json_is_refused() -> None:
    with pytest.raises(DeclarationError, match="cannot be read from JSON"):
        Codec(cast("type[Any]", list[int] | set[int]))
    with pytest.raises(NotImplementedError, match="cannot be written"):
        encode(object())


def test_documents_of_all_kinds_of_models_are_valid_and_whole() -> None:
    desk = Service("desk")

    @desk.post("/orders", access=anyone)
    async def create(order: Order) -> Page[Address]:
        raise NotImplementedError

    @desk.get("/orders", access=anyone)
    async def some(page: PageRequest) -> list[Order]:
        raise NotImplementedError

    @desk.put("/address", access=anyone)
    async def move(address: Address) -> dict[str, Parcel]:
        raise NotImplementedError

    document: Any = openapi(described(desk))
    OpenAPIV31SpecValidator(document).validate()
    assert "Street" in document["components"]["schemas"]
    assert "$defs" not in str(document)
