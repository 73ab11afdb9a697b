"""The price list of Google Cloud: its Cloud Billing Catalog, which asks for a key of one's own.

Google documents it as "services.skus.list": ``skus`` with the regions of each, and prices as whole units and
billionths; ``nextPageToken`` leads on. What it has in parts (machines, by their processors and memory) is not looked
for. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import IO
from urllib.parse import urlencode

import msgspec

from shoal.cost.lists.offer import More, Offer, PriceList, Wanted, whole

_BILLION = Decimal(10) ** 9
_PAGE = 5000
"""Entries of a page, which is the most that Google gives."""


class _Money(msgspec.Struct, frozen=True, rename="camel"):
    currency_code: str = "USD"
    units: Decimal = Decimal(0)
    nanos: int = 0


class _Rate(msgspec.Struct, frozen=True, rename="camel"):
    unit_price: _Money
    start_usage_amount: Decimal = Decimal(0)


class _Expression(msgspec.Struct, frozen=True, rename="camel"):
    usage_unit: str
    tiered_rates: list[_Rate]


class _Info(msgspec.Struct, frozen=True, rename="camel"):
    pricing_expression: _Expression
    effective_time: str = ""


class _Category(msgspec.Struct, frozen=True, rename="camel"):
    usage_type: str = ""


class _Sku(msgspec.Struct, frozen=True, rename="camel"):
    """As far as it matters here; the list says more."""

    description: str
    category: _Category
    service_regions: list[str]
    pricing_info: list[_Info]


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    skus: list[_Sku]
    next_page_token: str = ""


def question(service: str, region: str) -> str:  # noqa: ARG001 - the list has all regions on every page
    """Ask for everything of a service."""
    return f"v1/services/{service}/skus?currencyCode=USD&pageSize={_PAGE}"


def read(answer: IO[bytes], region: str) -> Iterator[Offer | More]:
    """Read a page: what is paid on demand in a region, or everywhere."""
    page = msgspec.json.decode(whole(answer), type=_Page, strict=False)
    for sku in page.skus:
        if sku.category.usage_type == "OnDemand" and {region, "global"} & {*sku.service_regions}:
            yield from _offers(sku)
    if page.next_page_token:
        yield More(query=urlencode({"currencyCode": "USD", "pageSize": _PAGE, "pageToken": page.next_page_token}))


def _offers(sku: _Sku) -> Iterator[Offer]:
    for info in sku.pricing_info[-1:]:
        for rate in info.pricing_expression.tiered_rates:
            if rate.unit_price.currency_code != "USD":
                raise ValueError(f"it is in {rate.unit_price.currency_code}, not in USD")
            yield Offer(
                fields={"description": re.sub(r"\s+", " ", sku.description)},
                amount=rate.unit_price.units + rate.unit_price.nanos / _BILLION,
                unit=info.pricing_expression.usage_unit,
                start=rate.start_usage_amount,
                since=info.effective_time[:10],
            )


def _price(price: str, unit: str, service: str, description: str, units: Mapping[str, int | Decimal]) -> Wanted:
    factors = {name: Decimal(factor) for name, factor in units.items()}
    return Wanted(price=price, unit=unit, service=service, fields={"description": description}, units=factors)


_RUN, _SQL, _KEPT, _IMAGES, _SECRETS = (
    *("152E-C115-5142", "9662-B51E-5089", "95FF-2EF5-5EA1", "149C-F9EC-3994", "EE82-7A5E-871C"),
)
_MACHINES, _NETWORK, _KEYS, _LINES, _EVENTS = (
    *("6F81-5844-456A", "E505-1604-58F8", "EE2F-D110-890C", "5490-F7B7-8DF6", "A1E8-BE35-7EBC"),
)
_CLUSTERS = "CCD8-9BF1-090E"
"""Names of services, as the catalog has them."""

_HOURS: Mapping[str, int | Decimal] = {"s": 3600, "GiBy.s": 3600, "h": 1, "GiBy.h": 1}
_MILLIONS: Mapping[str, int | Decimal] = {"count": 1_000_000}
_GB: Mapping[str, int | Decimal] = {"GiBy": 1, "GiBy.mo": 1, "TiBy": Decimal(1) / 1024}
_MONTHS: Mapping[str, int | Decimal] = {"mo": 1}
_ASKED, _ALL_DAY = r"(?: Tier 2)? ?\(Request-based billing\)", r" \(Instance-based billing\) in.*"
_ZONAL = r"Cloud SQL for PostgreSQL: Zonal - "

_WANTED = (
    _price("run.cpu.hour", "vCPU-hour", _RUN, f"Services CPU{_ALL_DAY}", _HOURS),
    _price("run.gb.hour", "GB-hour", _RUN, f"Services Memory{_ALL_DAY}", _HOURS),
    _price("run.asked.cpu", "vCPU-hour", _RUN, f"Services CPU{_ASKED}", _HOURS),
    _price("run.asked.gb", "GB-hour", _RUN, f"Services Memory{_ASKED}", _HOURS),
    _price("run.idle.cpu", "vCPU-hour", _RUN, f"Services Min Instance CPU{_ASKED}", _HOURS),
    _price("run.idle.gb", "GB-hour", _RUN, f"Services Min Instance Memory{_ASKED}", _HOURS),
    _price("run.request", "million requests", _RUN, "Requests", _MILLIONS),
    _price("sql.cpu.hour", "vCPU-hour", _SQL, f"{_ZONAL}vCPU in .*", _HOURS),
    _price("sql.gb.hour", "GB-hour", _SQL, f"{_ZONAL}RAM in .*", _HOURS),
    _price("sql.db-f1-micro.hour", "hour", _SQL, f"{_ZONAL}Micro instance in .*", _HOURS),
    _price("sql.db-g1-small.hour", "hour", _SQL, f"{_ZONAL}Small instance in .*", _HOURS),
    _price("sql.ssd.gb-month", "GB-month", _SQL, f"{_ZONAL}Standard storage in .*", _GB),
    _price("storage.gb-month", "GB-month", _KEPT, r"Standard Storage (?!.*(?:Dual|Multi)-region).*", _GB),
    _price("disk.gb-month", "GB-month", _MACHINES, "Balanced PD Capacity.*", _GB),
    _price("address.hour", "hour", _MACHINES, "External IP Charge on a Standard VM", _HOURS),
    _price("nat.gb", "GB", _NETWORK, "Networking Cloud Nat Data Processing.*", _GB),
    _price("logs.gb", "GB", _LINES, "Log Volume", _GB),
    _price("pubsub.gb", "GB", _EVENTS, "Message Delivery Basic", _GB),
    _price("secret.month", "version-month", _SECRETS, "Secret version replica storage", _MONTHS),
    _price("key.month", "version-month", _KEYS, "Active software symmetric key versions", _MONTHS),
    _price("registry.gb-month", "GB-month", _IMAGES, "Artifact Registry Storage", _GB),
    _price("gke.hour", "hour", _CLUSTERS, "Regional Kubernetes Clusters", _HOURS),
    _price("autopilot.cpu.hour", "vCPU-hour", _CLUSTERS, r"Autopilot Pod mCPU Requests \(.*\)", {"h": 1000}),
    _price("autopilot.gb.hour", "GB-hour", _CLUSTERS, r"Autopilot Pod Memory Requests \(.*\)", _HOURS),
)

LIST = PriceList(
    name="gcp",
    title="Cloud Billing Catalog",
    address="https://cloudbilling.googleapis.com",
    wanted=_WANTED,
    question=question,
    read=read,
    key="GOOGLE_API_KEY",
    header="X-Goog-Api-Key",
)
