"""What a run measured becomes a month, and says what it does not know; usage is written and read again."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.cost import month as months
from shoal.cost import usage as used
from shoal.cost.measured import Run, Served, statement, usage
from shoal.cost.month import Month
from shoal.cost.usage import Range, Usage, Work, exactly
from shoal.errors import DeclarationError
from tests.deploy.aws.samples import scope_of
from tests.deploy.samples import shop

PLAN = scope_of(shop()).plan
RUN = Run(
    number=3,
    seconds=100.0,
    door={"POST /orders": 300, "GET /orders": 100},
    answered=800_000,
    answers=400,
    published=300,
    services={
        "orders": Served(
            requests=400, calls=600, reads=800, writes=1200, log_bytes=400_000, cpu=2.0, memory=100 * 1024 * 1024
        ),
        "products": Served(requests=600, reads=600),
    },
)


def test_a_month_is_the_rate_of_the_run() -> None:
    found = usage(RUN)
    assert found.requests == Range(low=Decimal(5_256_000), expected=Decimal(10_512_000), high=Decimal(21_024_000))
    assert found.endpoints["POST /orders"].expected == Decimal(7_884_000)
    assert (found.events_per_request, found.answer_bytes) == (Decimal("0.75"), Decimal(2000))


def test_or_as_many_requests_as_somebody_says() -> None:
    found = usage(RUN, requests=Decimal(1_000_000))
    assert found.requests == exactly(1_000_000)
    assert found.endpoints["GET /orders"] == exactly(250_000)


def test_each_service_does_what_it_did() -> None:
    month = Month(PLAN, months.known(PLAN, usage(RUN, requests=Decimal(400))))
    assert month.of("orders") == exactly(400)
    assert month.of("products") == exactly(600)
    crossing = Decimal(4000) * 2 / 3 / 1024**3
    assert month.between(3)["orders"].expected == pytest.approx(600 * crossing)
    assert month.reads("orders") == exactly(800)
    assert month.writes("orders") == exactly(1200)
    assert month.logged("orders").expected * 1024**3 == pytest.approx(Decimal(400_000))
    assert month.held("orders") == 100
    assert month.held("products") is None


def test_tasks_follow_from_processors_within_their_bounds() -> None:
    def tasks(requests: int, cpu: str) -> Range:
        work = {"orders": Work(cpu=Decimal(cpu))}
        month = Month(PLAN, Usage(requests=exactly(requests), services=work))
        return month.tasks("orders", least=2, most=10, processors=Decimal("0.25"), busy=50)

    second = 730 * 3600
    assert tasks(second, "0.1") == exactly(2), "0.8 are needed, and two are there at least"
    assert tasks(10 * second, "0.1").expected == pytest.approx(Decimal(8))
    assert tasks(100 * second, "0.1") == exactly(10), "there are no more"


def test_it_is_said_what_was_measured_and_what_was_not() -> None:
    told = " ".join(statement(RUN))
    assert "run 3: 400 requests in 100 s, 300 events, 2.0 s of processors" in told
    assert "--requests" in told
    assert "says little" not in told
    few = msgspec.structs.replace(RUN, seconds=5.0, answers=0, services={})
    told = " ".join(statement(few, requests=Decimal(5)))
    assert "says little" in told
    assert "bytes of answers, processors and memory" in told
    assert "--requests" not in told


AMOUNTS = st.decimals(0, 10**6, places=4)


@given(
    st.lists(AMOUNTS, min_size=3, max_size=3).map(sorted),
    st.dictionaries(st.sampled_from(["POST /orders", "GET /orders"]), AMOUNTS),
    st.dictionaries(st.sampled_from(["orders", "users"]), st.builds(Work, asked=AMOUNTS, cpu=AMOUNTS | st.none())),
)
def test_usage_is_written_and_read_again(
    three: list[Decimal], endpoints: dict[str, Decimal], services: dict[str, Work]
) -> None:
    requests = Range(low=three[0], expected=three[1], high=three[2])
    said = {name: exactly(one) for name, one in endpoints.items()}
    found = Usage(requests=requests, endpoints=said, services=services, mails=three[0])
    assert used.read(used.written(found), where="usage.toml") == found


@pytest.mark.parametrize(
    "text",
    [
        "requests = nan", "requests = inf", "requests = 1e400", "log_bytes = -1", "answer_bytes = nan", "users = 10e15",
        "[endpoints]\n'POST /orders' = 1e30", "[services.orders]\ncpu = -1", "[services.orders]\ncolour = 1",
        "services = 3", "endpoints = 3", "requests = true",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        used.read(text, where="usage.toml")
    assert "usage.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("found", "named", "hint"),
    [
        (Usage(endpoints={"POST /order": exactly(1)}), "'POST /order'", "did you mean 'POST /orders'?"),
        (Usage(services={"order": Work()}), "'order'", "did you mean 'orders'?"),
        (Usage(services={"zzz": Work()}), "'zzz'", "it has: "),
    ],
)
def test_usage_of_what_there_is_not_is_refused(found: Usage, named: str, hint: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        months.check(PLAN, found, where="usage.toml")
    assert named in str(caught.value)
    assert hint in (caught.value.hint or "")
    assert months.known(PLAN, found) == msgspec.structs.replace(found, endpoints={}, services={})
