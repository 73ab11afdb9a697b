"""The price list of AWS: the files of its Bulk interface, which ask for no key.

A service has a file for each region (AWS Billing, "Reading the service price list file"): five lines about the file,
one with the names of columns, then a price a line. That of EC2 has hundreds of megabytes, so that it is read line by
line; the same in JSON could only be read whole. Pure.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import IO

from shoal.cost.lists.offer import More, Offer, PriceList, Wanted

_COLUMNS = {
    "usageType": "usage", "operation": "operation", "Database Engine": "engine", "Deployment Option": "copies",
    "Cache Engine": "cache", "Operating System": "system", "Tenancy": "tenancy", "CapacityStatus": "capacity",
    "Pre Installed S/W": "software",
}  # fmt: skip
"""Column → field of an offer. Which of them there are depends on the service."""

_NEEDED = ("TermType", "Unit", "PricePerUnit", "Currency", "usageType")
_OPTIONAL = ("StartingRange", "EffectiveDate")
_HEAD = 20
"""Lines among which the names of columns are looked for."""

_PREFIX = re.compile(r"^(?!KMS-)[A-Z]{2,4}\d?-")
"""Of a region in a type of usage: ``EUC1-``, ``EU-``. In Virginia there is none, and keys have the region itself."""

_LINE = 1_000_000
"""Characters of a line, at most."""


def question(service: str, region: str) -> str:
    """Ask for the file of a service in a region."""
    return f"offers/v1.0/aws/{service}/current/{region}/index.csv"


def read(answer: IO[bytes], region: str) -> Iterator[Offer | More]:
    """Read what is paid on demand."""
    try:
        yield from _offers(csv.reader(_lines(io.TextIOWrapper(answer, "utf-8", newline=""))), region)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"it is no file of prices: {error}") from error


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(_LINE):
        if len(line) == _LINE:
            raise ValueError(f"it has a line of more than {_LINE:,} characters")
        yield line


def _offers(rows: Iterator[list[str]], region: str) -> Iterator[Offer]:
    columns = _columns(rows)
    term, currency = columns["TermType"], columns["Currency"]
    for row in rows:
        if len(row) > max(columns.values()) and row[term] == "OnDemand" and row[currency] == "USD":
            yield _offer({name: row[place] for name, place in columns.items()}, region)


def _columns(rows: Iterator[list[str]]) -> dict[str, int]:
    """Say where the columns are that matter here."""
    head = next((row for _, row in zip(range(_HEAD), rows, strict=False) if "SKU" in row), [])
    if missing := [name for name in _NEEDED if name not in head]:
        raise ValueError(f"it has no column {missing[0]!r}")
    return {name: place for place, name in enumerate(head) if name in (*_NEEDED, *_COLUMNS, *_OPTIONAL)}


def _offer(line: Mapping[str, str], region: str) -> Offer:
    fields = {field: line.get(column, "") for column, field in _COLUMNS.items()}
    fields["usage"] = _PREFIX.sub("", fields["usage"].removeprefix(f"{region}-"), count=1)
    try:
        amount, start = Decimal(line["PricePerUnit"]), Decimal(line.get("StartingRange") or 0)
    except InvalidOperation as error:
        raise ValueError(f"{line['PricePerUnit']!r} is no price") from error
    since = line.get("EffectiveDate", "")[:10]
    return Offer(fields=fields, amount=amount, unit=line["Unit"].lower(), start=start, since=since)


def _price(price: str, unit: str, service: str, usage: str, factor: int = 1, **fields: str) -> Wanted:
    return Wanted(
        price=price,
        unit=unit,
        service=service,
        fields={"usage": usage, **fields},
        units={one: Decimal(factor) for one in _UNITS},
    )


_HOURLY = "hrs hours hour vcpu-hours vcpu-hour gb-hours gb-hour lcu-hrs lcu-hours rpu-hr"
_STORED = "gb gb-mo gb-month"
_COUNTED = (
    "count requests request writerequestunits readrequestunits notifications month recipients cognitouserpoolsmau"
)
_KEPT = "alarms metrics secrets keys"
_UNITS = frozenset(f"{_HOURLY} {_STORED} {_COUNTED} {_KEPT}".split())
"""Each service spells its units in its own way; types of usage say which is meant, so that the unit tells no more."""

_MILLION = 1_000_000
_COMMON = r"(?:t3|t4g|m6i|m6g|m7i|m7g|r6g|r7g)\.\w+"
"""Families of machines that are looked for: a list has hundreds, and a table is read by people."""
_SIZE, _NODE, _BASE = rf"(?P<size>{_COMMON})", rf"(?P<size>cache\.{_COMMON})", rf"(?P<size>db\.{_COMMON})"

_WANTED = (
    _price("fargate.x86.cpu.hour", "vCPU-hour", "AmazonECS", "Fargate-vCPU-Hours:perCPU"),
    _price("fargate.x86.gb.hour", "GB-hour", "AmazonECS", "Fargate-GB-Hours"),
    _price("fargate.arm.cpu.hour", "vCPU-hour", "AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"),
    _price("fargate.arm.gb.hour", "GB-hour", "AmazonECS", "Fargate-ARM-GB-Hours"),
    _price("nat.hour", "hour", "AmazonEC2", "NatGateway-Hours"),
    _price("nat.gb", "GB", "AmazonEC2", "NatGateway-Bytes"),
    _price(
        "ec2.{size}.hour", "hour", "AmazonEC2", rf"BoxUsage:{_SIZE}", operation="RunInstances", system="Linux",
        tenancy="Shared", capacity="Used", software="NA",
    ),
    _price("ebs.gp3.gb-month", "GB-month", "AmazonEC2", r"EBS:VolumeUsage\.gp3"),
    _price("endpoint.hour", "endpoint-hour", "AmazonVPC", "VpcEndpoint-Hours"),
    _price("endpoint.gb", "GB", "AmazonVPC", "VpcEndpoint-Bytes"),
    _price("address.hour", "address-hour", "AmazonVPC", "PublicIPv4:InUseAddress"),
    _price("egress.gb", "GB", "AWSDataTransfer", "DataTransfer-Out-Bytes"),
    _price("zones.gb", "GB each way", "AWSDataTransfer", "DataTransfer-Regional-Bytes"),
    _price("alb.hour", "hour", "AWSELB", "LoadBalancerUsage", operation="LoadBalancing:Application"),
    _price("alb.lcu-hour", "LCU-hour", "AWSELB", "LCUUsage", operation="LoadBalancing:Application"),
    _price("nlb.hour", "hour", "AWSELB", "LoadBalancerUsage", operation="LoadBalancing:Network"),
    _price(
        "rds.{size}.hour", "hour", "AmazonRDS", rf"InstanceUsage:{_BASE}", engine="PostgreSQL", copies="Single-AZ"
    ),
    _price("rds.gp3.gb-month", "GB-month", "AmazonRDS", "RDS:GP3-Storage", engine="PostgreSQL|Any"),
    _price("dynamodb.write", "million writes", "AmazonDynamoDB", "WriteRequestUnits", _MILLION),
    _price("dynamodb.read", "million reads", "AmazonDynamoDB", "ReadRequestUnits", _MILLION),
    _price("dynamodb.gb-month", "GB-month", "AmazonDynamoDB", "TimedStorage-ByteHrs"),
    _price("s3.gb-month", "GB-month", "AmazonS3", "TimedStorage-ByteHrs"),
    _price("s3.write", "million requests", "AmazonS3", "Requests-Tier1", _MILLION),
    _price("s3.read", "million requests", "AmazonS3", "Requests-Tier2", _MILLION),
    _price("docdb.{size}.hour", "hour", "AmazonDocDB", rf"InstanceUsage:{_BASE}"),
    _price("docdb.gb-month", "GB-month", "AmazonDocDB", "StorageUsage"),
    _price("valkey.{size}.hour", "hour", "AmazonElastiCache", rf"NodeUsage:{_NODE}", cache="Valkey"),
    _price("opensearch.{size}.search.hour", "hour", "AmazonES", rf"ESInstance:{_SIZE}"),
    _price("opensearch.gp3.gb-month", "GB-month", "AmazonES", "ES:GP3-Storage"),
    _price("redshift.rpu-hour", "RPU-hour", "AmazonRedshift", "Redshift:ServerlessUsage"),
    _price("redshift.gb-month", "GB-month", "AmazonRedshift", "RMS:Serverless"),
    _price("sns.fifo", "million messages", "AmazonSNS", "F-Request-Tier1", _MILLION),
    _price("sqs.fifo", "million requests", "AWSQueueService", "Requests-FIFO-(Tier1|RBP)", _MILLION),
    _price("logs.gb", "GB", "AmazonCloudWatch", "DataProcessing-Bytes", operation="PutLogEvents"),
    _price("logs.gb-month", "GB-month", "AmazonCloudWatch", "TimedStorage-ByteHrs"),
    _price("alarm.month", "metric-month", "AmazonCloudWatch", "CW:AlarmMonitorUsage"),
    _price("metrics.month", "metric-month", "AmazonCloudWatch", "CW:MetricMonitorUsage"),
    _price("secret.month", "secret-month", "AWSSecretsManager", "AWSSecretsManager-Secrets?"),
    _price("key.month", "key-month", "awskms", "KMS-Keys"),
    _price("ecr.gb-month", "GB-month", "AmazonECR", "TimedStorage-ByteHrs"),
    _price("api.http", "million requests", "AmazonApiGateway", "ApiGatewayHttpRequest", _MILLION),
    _price("eks.hour", "hour", "AmazonEKS", "AmazonEKS-Hours:perCluster"),
    _price("waf.acl.month", "web ACL-month", "awswaf", "WebACLV2"),
    _price("waf.rule.month", "rule-month", "awswaf", "RuleV2"),
    _price("waf.request", "million requests", "awswaf", "RequestV2-(Tier1|48KB)", _MILLION),
    _price("cognito.user", "user-month", "AmazonCognito", "CognitoEssentialsMAU"),
    _price("ses.mail", "thousand mails", "AmazonSES", "Recipients", 1000),
)  # fmt: skip

LIST = PriceList(
    name="aws",
    title="AWS Price List",
    address="https://pricing.us-east-1.amazonaws.com",
    wanted=_WANTED,
    question=question,
    read=read,
)
