"""What a shop of some size tells its warehouse in two years: columns of the shop's own fact tables."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

Columns = tuple[Sequence[object], ...]
Some = tuple[tuple[str, Columns], ...]

BEGIN, DAYS = datetime(2024, 1, 1, tzinfo=UTC), 730
PRODUCTS = [(f"SKU-{number:04}", f"Product number {number}") for number in range(500)]
REASONS = ("generic_decline", "insufficient_funds", "lost_card", "expired_card", "incorrect_cvc")
WAYS = {
    "confirmed": ("placed", "reserved", "paid", "confirmed"),
    "declined": ("placed", "declined", "cancelled"),
    "short": ("placed", "short", "paid", "refunded", "cancelled"),
}


def batches(facts: int, size: int) -> Iterator[tuple[int, Some]]:
    """Make batches of about `size` facts, until there are `facts` of them; each with how many it has."""
    draw, made = random.Random(7), 0  # noqa: S311 - the same facts each time
    while made < facts:
        share = made / facts
        count, some = _batch(draw, min(size, facts - made), BEGIN + timedelta(days=DAYS * share))
        made += count
        yield count, some


def _batch(draw: random.Random, size: int, at: datetime) -> tuple[int, Some]:
    milestones: list[tuple[object, ...]] = []
    sales: list[tuple[object, ...]] = []
    failed: list[tuple[object, ...]] = []
    while len(milestones) + len(sales) + len(failed) < size:
        order, at = f"ord_{draw.randbytes(12).hex()}", at + timedelta(milliseconds=draw.randrange(1000))
        (way,) = draw.choices([*WAYS], (90, 8, 2))
        lines = draw.sample(PRODUCTS, draw.randint(1, 3))
        amounts = [draw.randrange(500, 20_000) for _ in lines]
        milestones += [(step, order, sum(amounts), "EUR", at) for step in WAYS[way]]
        if way == "declined":
            failed.append((order, draw.choice(REASONS), at))
        if way == "confirmed":
            sales += [
                (order, sku, name, 1, amount, "EUR", at) for (sku, name), amount in zip(lines, amounts, strict=True)
            ]
    tables = (("steps", milestones), ("sales", sales), ("failed_payments", failed))
    some = tuple((name, tuple(zip(*rows, strict=True))) for name, rows in tables if rows)
    return sum(len(rows) for _, rows in tables), some
