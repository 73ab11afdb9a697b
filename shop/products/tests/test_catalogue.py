import msgspec
import pytest

from shop.products.catalogue import NewProduct, listed, opening, price, price_changed, product

MUG = product(
    "KIT-0001",
    NewProduct(sku="KIT-0001", name="Mug", description="Holds coffee.", category="kitchen", amount=1250),
)


def test_the_shop_opens_with_a_catalogue_worth_a_visit() -> None:
    catalogue = opening()
    assert len(catalogue) >= 200
    assert len({found.sku for found in catalogue}) == len(catalogue)
    assert len({found.name for found in catalogue}) == len(catalogue)
    assert len({found.category for found in catalogue}) == 12


def test_a_price_is_that_of_the_product() -> None:
    assert price(MUG).amount == listed(MUG).amount == 1250
    assert price(MUG).currency == "EUR"


def test_only_a_different_price_is_announced() -> None:
    renamed = msgspec.structs.replace(MUG, name="Large mug")
    dearer = msgspec.structs.replace(MUG, amount=1400)
    assert price_changed(MUG, renamed) is None
    changed = price_changed(MUG, dearer)
    assert changed is not None
    assert (changed.before, changed.amount) == (1250, 1400)


@pytest.mark.parametrize(
    "wrong", [{"sku": "mug"}, {"sku": "KIT-0001\n"}, {"amount": 0}, {"amount": 12.5}, {"name": ""}]
)
def test_a_product_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    right: dict[str, object] = {
        "sku": "KIT-0001",
        "name": "Mug",
        "description": "Holds coffee.",
        "category": "kitchen",
        "amount": 1250,
    }
    msgspec.convert(right, NewProduct)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(right | wrong, NewProduct)
