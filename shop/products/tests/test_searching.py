from hypothesis import example, given
from hypothesis import strategies as st

from shop.products.contract import ProductListed
from shop.products.searching import DESCRIPTION, MOST, NAME, Filters, SearchWord, indexed, ranked, words

MUG = ProductListed(
    sku="KIT-0001", name="Café mug, white", description="A mug. Holds coffee.", category="kitchen", amount=1250,
    currency="EUR",
)  # fmt: skip
PAN = ProductListed(
    sku="KIT-0002", name="Pan", description="White enamel, next to the mug.", category="kitchen", amount=3000,
    currency="EUR",
)  # fmt: skip
BOOK = ProductListed(
    sku="BOK-0001", name="White nights", description="A novel.", category="books", amount=900, currency="EUR"
)
ROWS = [row for product in (MUG, PAN, BOOK) for row in indexed(product)]


def search(query: str, filters: Filters = Filters()) -> list[str]:  # noqa: B008 - frozen
    return ranked([[row for row in ROWS if row.word == word] for word in words(query)], filters)


def test_words_have_neither_case_nor_accents_and_are_no_single_letters() -> None:
    assert words("Café-MUG, 20 cm × a b") == ["cafe", "mug", "20", "cm"]
    assert words(" ,.") == []


def test_a_word_of_the_name_weighs_more() -> None:
    weights = {row.word: row.weight for row in indexed(MUG)}
    assert weights == {"cafe": NAME, "mug": NAME + DESCRIPTION, "white": NAME, "holds": 1, "coffee": 1}


def test_every_word_must_be_there_and_the_best_comes_first() -> None:
    assert search("mug") == ["KIT-0001", "KIT-0002"]
    assert search("white") == ["KIT-0001", "BOK-0001", "KIT-0002"]
    assert search("white mug") == ["KIT-0001", "KIT-0002"]
    assert search("white mug novel") == []
    assert search("nothing") == []
    assert search("") == []


def test_filters_leave_out_what_does_not_fit() -> None:
    assert search("white", Filters(category="books")) == ["BOK-0001"]
    assert search("white", Filters(at_most=1250)) == ["KIT-0001", "BOK-0001"]


@given(st.text(max_size=300))
@example("0\N{MATHEMATICAL BOLD SCRIPT CAPITAL A}")
def test_any_text_gives_words_that_are_found_again(text: str) -> None:
    found = words(text)
    assert words(" ".join(found)) == found


def test_a_product_has_each_word_once() -> None:
    keys = [row.word_id for row in ROWS]
    assert len(keys) == len(set(keys)) < MOST
    assert isinstance(ROWS[0], SearchWord)
