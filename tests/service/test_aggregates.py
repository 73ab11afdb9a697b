"""Aggregates that cannot be meant are refused where they stand."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from shoal import aggregate
from shoal.errors import DeclarationError
from shoal.service.aggregates import aggregate_mark
from tests.runtime.accounts import Opened, PaidIn, PaidInV1, to_cents


def declare(**options: Any) -> Callable[[type], type]:
    return aggregate(**{"name": "thing", "key": "id", **options})


class TestDeclaring:
    def test_what_is_no_aggregate(self) -> None:
        with pytest.raises(DeclarationError, match="not an aggregate"):
            aggregate_mark(Opened)

    def test_without_apply(self) -> None:
        class Thing(msgspec.Struct):
            id: str

        with pytest.raises(DeclarationError, match="no method apply"):
            declare()(Thing)

    def test_with_an_apply_that_folds_nothing(self) -> None:
        class Thing(msgspec.Struct):
            id: str

            def apply(self, fact: Opened) -> None: ...

        with pytest.raises(DeclarationError, match="does not fold") as refusal:
            declare()(Thing)
        assert "-> Thing" in refusal.value.hint

    def test_with_something_that_is_no_fact(self) -> None:
        class Thing(msgspec.Struct):
            id: str

            def apply(self, fact: Opened | int) -> "Thing":
                return self

        with pytest.raises(DeclarationError, match="int is not a fact"):
            declare()(Thing)

    def test_with_two_versions_of_a_fact(self) -> None:
        class Thing(msgspec.Struct):
            id: str

            def apply(self, fact: PaidIn | PaidInV1) -> "Thing":
                return self

        with pytest.raises(DeclarationError, match="two facts 'paid-in'"):
            declare()(Thing)

    def test_with_a_field_that_nothing_fills(self) -> None:
        class Thing(msgspec.Struct, kw_only=True):
            id: str
            size: int

            def apply(self, fact: Opened) -> "Thing":
                return self

        with pytest.raises(DeclarationError, match="no state before its first fact"):
            declare()(Thing)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"name": "A thing"}, "DNS label"),
            ({"key": "other"}, "does not have"),
            ({"key": "size"}, "no text"),
            ({"snapshot_every": 0}, "snapshot_every=0"),
            ({"upcasters": [to_cents]}, "leads to no fact"),
            ({"upcasters": [len]}, "len is no upcaster"),
        ],
    )
    def test_with_options_that_fit_nothing(self, options: dict[str, Any], said: str) -> None:
        class Thing(msgspec.Struct, kw_only=True):
            id: str
            size: int = 0

            def apply(self, fact: Opened) -> "Thing":
                return self

        with pytest.raises(DeclarationError, match=said):
            declare(**options)(Thing)
