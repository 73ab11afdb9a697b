"""What the author's source is read as: names, types, uses, loops, places."""

import ast

import pytest

from shoal.check.finding import Place
from shoal.check.source import Function, Module, Source
from tests.check.sources import module, source


def function(text: str, name: str = "work") -> Function:
    made = source(shop=text)
    found = made.named(f"shop.{name}")
    assert found is not None
    return found


def uses(text: str) -> list[tuple[str, str, bool]]:
    made = source(shop=text)
    found = made.named("shop.work")
    assert found is not None
    return [(use.kind.name, use.method, use.looped) for use in made.uses(found)]


@pytest.mark.parametrize(
    ("written", "name", "of"),
    [
        ("Transaction", "shoal.Transaction", ()),
        ("s.Transaction", "shoal.Transaction", ()),
        ("'Transaction'", "shoal.Transaction", ()),
        ("Transaction | None", "shoal.Transaction", ()),
        ("Annotated[Transaction, 1]", "shoal.Transaction", ()),
        ("Objects[Picture]", "shoal.Objects", ("shop.Picture",)),
        ("dict[str, int]", "dict", ("str", "int")),
    ],
)
def test_an_annotation_is_read_as_a_name(written: str, name: str, of: tuple[str, ...]) -> None:
    head = (
        "import shoal as s\nfrom typing import Annotated\nfrom shoal import Objects, Transaction\nclass Picture: ...\n"
    )
    kind = function(f"{head}async def work(it: {written}): ...").kinds["it"]
    assert (kind.name, kind.of) == (name, of)


@pytest.mark.parametrize("written", ["1", "'1 +'", "A | B", "f()"])
def test_an_annotation_that_is_no_one_name_is_left_out(written: str) -> None:
    assert function(f"async def work(it: {written}): ...").kinds == {}


def test_methods_of_what_is_given_are_uses_in_their_order() -> None:
    text = """
    from shoal import Transaction
    async def work(tx: Transaction, other) -> None:
        await tx.get(1)
        other.get(2)
        tx.put(await tx.find(3))
    """
    assert uses(text) == [("shoal.Transaction", name, False) for name in ("get", "put", "find")]


@pytest.mark.parametrize(
    ("line", "looped"),
    [
        ("for x in await tx.find(1): ...", False),
        ("for x in y: await tx.find(1)", True),
        ("async for x in tx.find(1): ...", False),
        ("while await tx.find(1): ...", True),
        ("for x in y: ...\n    else: await tx.find(1)", False),
        ("[x for x in await tx.find(1)]", False),
        ("[await tx.find(x) for x in y]", True),
        ("[x for x in y if await tx.find(x)]", True),
        ("[z for x in y for z in await tx.find(x)]", True),
        ("{x: await tx.find(x) for x in y}", True),
        ("if await tx.find(1): ...", False),
    ],
)
def test_what_happens_in_each_round_is_looped(line: str, looped: bool) -> None:
    text = f"from shoal import Transaction\nasync def work(tx: Transaction, y):\n    {line}\n"
    assert uses(text) == [("shoal.Transaction", "find", looped)]


def test_uses_are_followed_into_functions_that_are_called_or_handed_on() -> None:
    text = """
    from functools import partial
    from shoal import Transaction
    async def work(tx: Transaction, transact, y):
        for one in y:
            await store(tx)
        await transact(partial(read, 1))
    async def store(tx: Transaction): tx.put(1)
    async def read(number, tx: Transaction): await again(tx)
    async def again(tx: Transaction):
        tx.get(1)
        await read(1, tx)
    async def unused(tx: Transaction): tx.delete(1)
    """
    assert sorted(uses(text)) == [("shoal.Transaction", "get", False), ("shoal.Transaction", "put", True)]


def test_a_function_that_is_called_in_and_out_of_a_loop_is_not_looped() -> None:
    text = """
    from shoal import Transaction
    async def work(tx: Transaction, y):
        for one in y: store(tx)
        store(tx)
    def store(tx: Transaction): tx.put(1)
    """
    assert uses(text) == [("shoal.Transaction", "put", False)]


def test_methods_use_what_their_object_keeps() -> None:
    made = source(
        shop="""
        from shoal import Transaction
        class Books:
            port: Port
            def __init__(self, tx: Transaction) -> None:
                self._tx = tx
            async def work(self):
                self._tx.put(1)
                self.port.send()
                await self.more()
            async def more(self):
                await self._tx.get(1)
        class Port: ...
        """
    )
    found = made.named("shop.Books.work")
    assert found is not None
    assert [(u.kind.name, u.method) for u in made.uses(found)] == [
        ("shoal.Transaction", "put"),
        ("shop.Port", "send"),
        ("shoal.Transaction", "get"),
    ]


def test_a_name_is_followed_to_where_it_is_defined() -> None:
    made = Source(
        [
            module("from .inner import Api as Api", "shop", package=True),
            module(
                "from shoal import contract\n@contract('far')\nclass Api:\n    async def ask(self): ...", "shop.inner"
            ),
            module("from shop import Api\nasync def work(api: Api): await api.ask()", "desk"),
        ]
    )
    contract = made.contract("desk.Api")
    assert contract is not None
    assert (contract.service, contract.name, contract.operations) == ("far", "shop.inner.Api", frozenset({"ask"}))


def test_names_that_lead_round_lead_nowhere() -> None:
    made = source(one="from two import x", two="from one import x")
    assert made.named("one.x") is None


def test_decorators_tell_what_is_marked() -> None:
    made = source(
        shop="""
        from shoal import event, record
        @event("shop.sold", version=2, key=KEY)
        class Sold: ...
        @record
        class Row: ...
        """
    )
    sold, row = made.marked("shoal.event")["shop.Sold"], made.marked("shoal.record")["shop.Row"]
    assert (sold.said("name", 0), sold.said("version"), sold.said("key")) == ("shop.sold", 2, None)
    assert row.said("name", 0) is None


def test_functions_are_found_at_the_line_of_their_first_decorator() -> None:
    made = source(shop="x = 1\n@x\n@x\ndef work():\n    def inner(): ...\n")
    work, inner = made.function("shop.py:2"), made.function("shop.py:5")
    assert (work and work.name, inner and inner.name) == ("work", "inner")
    assert made.function("shop.py:4") is None
    assert made.function("elsewhere.py:2") is None


def test_columns_count_characters() -> None:
    made = module('x = "äöü"; f(1)\n')
    (call,) = made.every(ast.Call)
    assert made.place(call) == Place("shop.py", 1, 12, 1, 16)


def test_a_declaration_is_underlined_without_the_space_around_it() -> None:
    made = source(shop="if 1:\n    s = Service('s')  \n")
    assert made.place_of("shop.py:2") == Place("shop.py", 2, 5, 2, 21)
    assert made.place_of("shop.py:9") == Place("shop.py", 9)
    assert made.place_of("other.py:1") == Place("other.py", 1)


def test_a_file_that_is_broken_by_now_is_empty() -> None:
    made = Module("shop", "shop.py", "def (:\n")
    assert made.every(ast.Call) == ()
    assert Source([made]).named("shop.x") is None


def test_code_may_be_deeper_than_the_stack_of_the_interpreter() -> None:
    deep = " + ".join(["tx.get(1)"] * 2000)
    assert len(uses(f"from shoal import Transaction\nasync def work(tx: Transaction):\n    return {deep}\n")) == 2000


def test_what_a_function_binds_itself_is_nothing_of_its_module() -> None:
    known = source(
        shop="""
        def charge() -> None: ...


        def total(charges: list[int]) -> int:
            return sum(charge for charge in charges)


        def given(charge: int) -> int:
            return charge


        def asks() -> None:
            charge()
        """
    )
    for name, led in (("total", False), ("given", False), ("asks", True)):
        function = known.named(f"shop.{name}")
        assert function is not None
        assert ("charge" in [one.name for one, _ in known.reached(function)]) is led
