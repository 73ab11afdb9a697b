"""Plays the price lists of three clouds on the loopback, in the shapes that they document."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Played:
    """A server, what it answers, and what it was asked."""

    answers: Callable[[str, dict[str, list[str]]], Answer]
    asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = field(default_factory=list)
    address: str = ""


@contextmanager
def played(answers: Callable[[str, dict[str, list[str]]], Answer]) -> Iterator[Played]:
    """Answer for as long as the context lasts: from path and query to status, headers and body."""
    server = Played(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            server.asked.append((parts.path, query, {name.lower(): value for name, value in self.headers.items()}))
            status, headers, body = server.answers(parts.path, query)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.address = f"http://127.0.0.1:{http.server_port}"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def retail(service: str, meter: str, price: float, unit: str, **more: object) -> dict[str, object]:
    """Spell a line of the Azure Retail Prices."""
    return {
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price, "unitPrice": price,
        "armRegionName": "francecentral", "location": "FR Central", "effectiveStartDate": "2024-01-01T00:00:00Z",
        "meterId": "0426badc-b719-5201-b141-b2d5c4943b7d", "meterName": meter, "productId": "DZH318Z0B0NC",
        "skuId": "DZH318Z0B0NC/0001", "productName": service, "skuName": "Standard", "serviceName": service,
        "serviceId": "DZH319F70F09", "serviceFamily": "Compute", "unitOfMeasure": unit, "type": "Consumption",
        "isPrimaryMeterRegion": True, "armSkuName": "", **more,
    }  # fmt: skip


def page(items: list[dict[str, object]], *, after: str | None = None) -> Answer:
    """Spell a page of the Azure Retail Prices; the next one is named with Microsoft's host."""
    link = f"https://prices.azure.com:443/api/retail/prices?{after}" if after else None
    body = {
        "BillingCurrency": "USD", "CustomerEntityId": "Default", "CustomerEntityType": "Retail", "Items": items,
        "NextPageLink": link, "Count": len(items),
    }  # fmt: skip
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


COLUMNS = (
    *("SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange"),
    *("EndingRange", "Unit", "PricePerUnit", "Currency", "Product Family", "serviceCode", "Location", "Instance Type"),
    *("Tenancy", "Operating System", "Pre Installed S/W", "CapacityStatus", "Database Engine", "Deployment Option"),
    *("Cache Engine", "Transfer Type", "usageType", "operation", "Region Code"),
)


def offer(code: str, *lines: dict[str, str]) -> Answer:
    """Spell a file of the AWS Price List."""
    head = [
        '"FormatVersion","v1.0"', '"Disclaimer","This pricing list is for ""informational"" purposes only."',
        '"Publication Date","2026-11-01T00:00:00Z"', '"Version","20261101000000"', f'"OfferCode","{code}"',
    ]  # fmt: skip
    usual = {"TermType": "OnDemand", "EffectiveDate": "2026-11-01", "StartingRange": "0", "Currency": "USD"}
    rows = [",".join(f'"{({**usual, **line}).get(column, "")}"' for column in COLUMNS) for line in lines]
    return 200, {"Content-Type": "text/csv"}, "\n".join([*head, ",".join(f'"{c}"' for c in COLUMNS), *rows]).encode()


def sku(description: str, unit: str, *rates: tuple[float, int], **more: object) -> dict[str, object]:
    """Spell an entry of the Cloud Billing Catalog; a rate is from how many units on, and billionths of a dollar."""
    expression = {
        "usageUnit": unit, "displayQuantity": 1, "baseUnit": "s", "baseUnitConversionFactor": 1,
        "tieredRates": [
            {"startUsageAmount": start, "unitPrice": {"currencyCode": "USD", "units": "0", "nanos": nanos}}
            for start, nanos in rates
        ],
    }  # fmt: skip
    return {
        "name": "services/A/skus/B", "skuId": "B", "description": description,
        "category": {
            "serviceDisplayName": "A", "resourceFamily": "Compute", "resourceGroup": "CPU", "usageType": "OnDemand",
        },
        "serviceRegions": ["europe-west9"],
        "pricingInfo": [{"summary": "", "pricingExpression": expression, "effectiveTime": "2026-11-01T00:00:00Z"}],
        "serviceProviderName": "Google", **more,
    }  # fmt: skip


def catalog(*skus: dict[str, object], after: str = "") -> Answer:
    """Spell a page of the Cloud Billing Catalog."""
    body = json.dumps({"skus": skus, "nextPageToken": after}).encode()
    return 200, {"Content-Type": "application/json"}, body
