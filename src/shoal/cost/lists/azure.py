"""The price list of Azure: its Retail Prices interface, which asks for no key.

Microsoft documents it as "Azure Retail Prices overview": ``$filter`` with OData's ``eq``, pages of ``Items`` with a
``NextPageLink``. What costs the same everywhere is in the region ``Global``. Pure.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import IO, Any
from urllib.parse import quote, urlsplit

import msgspec

from shoal.cost.lists.offer import More, Offer, PriceList, Wanted, whole

_VERSION = "2023-01-01-preview"
"""The first with savings plans beside what they make cheaper."""

_HOURS: Mapping[str, int | Decimal] = {
    "1 Hour": 1,
    "1/Hour": 1,
    "1 Second": 3600,
    "1 GiB Second": 3600,
    "1/Day": Decimal(1) / 24,
}
_MILLIONS: Mapping[str, int | Decimal] = {"1M": 1, "10K": 100}
_GB: Mapping[str, int | Decimal] = {"1 GB": 1, "1 GB/Month": 1}
_MONTHS: Mapping[str, int | Decimal] = {"1/Month": 1}
_DISK: Mapping[str, int | Decimal] = {"1/Month": Decimal(1) / 128}
"""Of a disk of 128 GiB, for each of them."""


class _Saving(msgspec.Struct, frozen=True):
    term: str
    retailPrice: Decimal  # noqa: N815 - as the list spells it


class _Item(msgspec.Struct, frozen=True, rename="camel"):
    """As far as it matters here; the list says more."""

    retail_price: Decimal
    unit_of_measure: str
    arm_region_name: str = ""
    product_name: str = ""
    sku_name: str = ""
    meter_name: str = ""
    arm_sku_name: str = ""
    effective_start_date: str = ""
    tier_minimum_units: Decimal = Decimal(0)
    type: str = ""
    savings_plan: list[_Saving] = []


class _Page(msgspec.Struct, frozen=True):
    Items: list[_Item]
    BillingCurrency: str = "USD"
    NextPageLink: str | None = None


def question(service: str, region: str) -> str:
    """Ask for what is consumed of a service, in a region and everywhere."""
    wanted = (
        f"serviceName eq '{service}' and (armRegionName eq '{region}' or armRegionName eq 'Global')"
        " and priceType eq 'Consumption'"
    )
    return f"api/retail/prices?api-version={_VERSION}&currencyCode=USD&$filter={quote(wanted)}"


def read(answer: IO[bytes], region: str) -> Iterator[Offer | More]:
    """Read a page; a saving for a year is an offer of its own."""
    page = msgspec.json.decode(whole(answer), type=_Page, strict=False)
    if page.BillingCurrency != "USD":
        raise ValueError(f"it is in {page.BillingCurrency}, not in USD")
    for item in page.Items:
        if item.type == "Consumption" and item.arm_region_name in (region, "Global"):
            yield _offer(item, item.retail_price, "")
            yield from (_offer(item, one.retailPrice, one.term) for one in item.savings_plan)
    if page.NextPageLink:
        yield More(query=quote(urlsplit(page.NextPageLink).query, safe="%=&$'()-_.~"))


def _offer(item: _Item, amount: Decimal, plan: str) -> Offer:
    return Offer(
        fields={
            "product": item.product_name, "sku": item.sku_name, "meter": item.meter_name, "arm": item.arm_sku_name,
            "plan": plan,
        },
        amount=amount,
        unit=item.unit_of_measure,
        start=item.tier_minimum_units,
        since=item.effective_start_date[:10],
    )  # fmt: skip


def _price(
    price: str, unit: str, service: str, units: Mapping[str, Decimal | int], *, plan: str = "", **fields: str
) -> Wanted:
    factors = {name: Decimal(factor) for name, factor in units.items()}
    return Wanted(price=price, unit=unit, service=service, fields={**fields, "plan": plan}, units=factors)


def _hour(price: str, service: str, unit: str = "hour", **fields: str) -> Wanted:
    return _price(price, unit, service, _HOURS, **fields)


_APPS, _GATE, _BUS, _WATCH = "Azure Container Apps", "API Management", "Service Bus", "Azure Monitor"
_DATA, _SERVER = "Azure Database for PostgreSQL", "Azure Database for PostgreSQL Flexible Server"
_GENERAL = f"{_SERVER} General Purpose D[a-z]*sv5 Series Compute"
_YEAR: dict[str, Any] = {"plan": "1 Year"}

_WANTED = (
    _hour("containerapps.cpu.hour", _APPS, "vCPU-hour", meter="Standard vCPU Active Usage"),
    _hour("containerapps.gb.hour", _APPS, "GB-hour", meter="Standard Memory Active Usage"),
    _hour("containerapps.plan.cpu.hour", _APPS, "vCPU-hour", meter="Standard vCPU Active Usage", **_YEAR),
    _hour("containerapps.plan.gb.hour", _APPS, "GB-hour", meter="Standard Memory Active Usage", **_YEAR),
    _price("containerapps.request", "million requests", _APPS, _MILLIONS, meter="Standard Requests"),
    _hour("lb.hour", "Load Balancer", meter="Standard Included LB Rules and Outbound Rules"),
    _hour("address.hour", "Virtual Network", product="IP Addresses", meter="Standard IPv4 Static Public IP"),
    _hour("endpoint.hour", "Virtual Network", "endpoint-hour", meter="Standard Private Endpoint"),
    _price("egress.gb", "GB", "Bandwidth", _GB, product="Rtn Preference: MGN", meter="Standard Data Transfer Out"),
    _hour("gateway.Developer.hour", _GATE, meter="Developer Unit"),
    _hour("gateway.{size}V2.hour", _GATE, meter="(?P<size>Basic|Standard|Premium) v2 Unit"),
    _hour("gateway.{size}V2.more.hour", _GATE, "unit-hour", meter="(?P<size>Basic|Standard|Premium) v2 Secondary Unit"),
    _price("gateway.StandardV2.request", "million requests", _GATE, _MILLIONS, meter="Standard v2 Calls"),
    _hour("postgres.B_Standard_B1ms.hour", _DATA, product=f"{_SERVER} Burstable BS Series Compute", sku="B1MS"),
    _hour("postgres.B_Standard_B2s.hour", _DATA, product=f"{_SERVER} Burstable BS Series Compute", sku="B2S"),
    _hour(
        "postgres.B_Standard_{size}.hour", _DATA, product=f"{_SERVER} Burstable BS Series Compute",
        sku=r"(?P<size>B\d+ms)",
    ),
    _hour("postgres.GP_{size}.hour", _DATA, product=_GENERAL, arm=r"(?P<size>Standard_D\d+\w+_v5)"),
    _price("postgres.gb-month", "GB-month", _DATA, _GB, product=".*Flexible Server Storage",
           meter="Storage Data Stored"),
    _hour("redis.{tier}_{size}.hour", "Redis Cache", product=r"Azure Managed Redis - (?P<tier>Balanced)",
          sku=r"(?P<size>B\d+)"),
    _price("storage.{size}.gb-month", "GB-month", "Storage", _GB, product="General Block Blob v2",
           meter="Hot (?P<size>LRS|ZRS|GRS|GZRS) Data Stored"),
    _price("disk.gb-month", "GB-month", "Storage", _DISK, product="Premium SSD Managed Disks", meter="P10 LRS Disk"),
    _hour("servicebus.Standard.hour", _BUS, meter="Standard Base Unit"),
    _hour("servicebus.Premium.hour", _BUS, "unit-hour", meter="Premium Messaging Unit"),
    _price("servicebus.Standard.operation", "million operations", _BUS, _MILLIONS,
           meter="Standard Messaging Operations"),
    _hour("registry.{size}.hour", "Container Registry", meter="(?P<size>Basic|Standard|Premium) Registry Unit"),
    _price("key.rotation", "rotation", "Key Vault", {"1 Rotation": 1}, sku="Standard", meter="Automated Key Rotation"),
    _price("logs.gb", "GB", "Log Analytics", _GB, meter="Analytics Logs Data Ingestion"),
    _price("logs.gb-month", "GB-month", "Log Analytics", _GB, meter="Analytics Logs Data Retention"),
    _price("alarm.month", "metric-month", _WATCH, _MONTHS, meter="Alerts Metric Monitored"),
    _hour("aks.hour", "Azure Kubernetes Service", product="Azure Kubernetes Service", meter="Standard Uptime SLA"),
    _hour("vm.{size}.hour", "Virtual Machines", product="Virtual Machines D[a-z]*sv5 Series",
          arm=r"(?P<size>Standard_D\d+\w+_v5)", sku="(?!.*(Spot|Low Priority)).*"),
)  # fmt: skip

LIST = PriceList(
    name="azure",
    title="Azure Retail Prices",
    address="https://prices.azure.com",
    wanted=_WANTED,
    question=question,
    read=read,
)
