"""``shoal cost refresh``: tables from the clouds' lists, asked on the loopback, and bills that prefer them."""

import json
import socket
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.cafe import SYSTEM
from tests.cli.run import Run
from tests.cost.lists.played import Answer, catalog, offer, page, played, retail, sku

Query = dict[str, list[str]]

NOTHING: Answer = (404, {}, b"<html>no such thing</html>")
AZURE = ("cost", "refresh", "--target", "azure", "--region", "francecentral")


@pytest.fixture(name="run")
def _run(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    (tmp_path / "system.py").write_text(SYSTEM, "utf-8")
    return run


def table(root: Path, name: str) -> dict[str, Any]:
    return tomllib.loads((root / "prices" / f"{name}.toml").read_text("utf-8"))


def france(_: str, query: Query) -> Answer:
    """Answer as Azure does: two pages of apps, a balancer that costs the same everywhere, and much that is odd."""
    asked = query.get("$filter", [""])[0]
    meter = "Standard Included LB Rules and Outbound Rules"
    answers = {
        "Azure Container Apps": _apps(query),
        "Load Balancer": page(
            [
                retail("Load Balancer", meter, 0.025, "1 Hour", armRegionName="Global"),
                retail("Load Balancer", meter, 0.1, "1 Hour", armRegionName="attnewyork1"),
            ]
        ),
        "Key Vault": (500, {}, b"out of order"),
        "Log Analytics": (200, {}, b"<html>sign in</html>"),
        "Azure Monitor": page(
            [retail("Azure Monitor", "Alerts Metric Monitored", cost, "1/Month") for cost in (0.1, 0.2)]
        ),
    }
    return next((answer for service, answer in answers.items() if f"'{service}'" in asked), page([]))


def _apps(query: Query) -> Answer:
    if "$skip" in query:
        return page([retail("Azure Container Apps", "Standard Memory Active Usage", 0.0000037, "1 GiB Second")])
    plan = [{"unitPrice": 0.00002, "retailPrice": 0.00002, "term": "1 Year"}]
    first = retail("Azure Container Apps", "Standard vCPU Active Usage", 0.000031, "1 Second", savingsPlan=plan)
    return page([first], after="api-version=x&$filter=serviceName eq 'Azure Container Apps'&$skip=1")


def test_what_azure_tells_is_written_with_its_day_and_source_and_preferred(run: Run, tmp_path: Path) -> None:
    with played(france) as list_:
        code, out, err = run(*AZURE, "--from", list_.address)
    assert code == 0, err
    written = table(tmp_path, "azure-francecentral")
    prices = written["prices"]
    assert {name: one["amount"] for name, one in prices.items()} == {
        "containerapps.cpu.hour": "0.1116",
        "containerapps.plan.cpu.hour": "0.072",
        "containerapps.gb.hour": "0.01332",
        "lb.hour": "0.025",
    }
    assert {one["source"] for one in prices.values()} == {*written["sources"]} == {f"list-{written['date']}"}
    assert list_.address in next(iter(written["sources"].values()))
    assert ["containerapps.cpu.hour", "vCPU-hour", "unknown", "0.1116"] in [line.split() for line in out.splitlines()]
    assert "nothing was told of Key Vault: it answers 500" in err
    assert "nothing was told of Log Analytics: " in err
    assert "nothing is taken for alarm.month: the list has several: 0.10, 0.20" in err
    assert "currencyCode" in list_.asked[0][1]
    code, out, err = run("cost", "--target", "azure", "--region", "francecentral")
    assert code == 0, err
    assert f"prices of azure in francecentral, USD, {written['date']}" in err
    assert "own, from prices/azure-francecentral.toml" in err
    assert "0.1116" in out


def test_what_the_list_does_not_tell_stays_as_packaged_and_what_a_person_wrote_stays_too(
    run: Run, tmp_path: Path
) -> None:
    def europe(path: str, query: Query) -> Answer:
        status, headers, body = france(path, query)
        return status, headers, body.replace(b"francecentral", b"westeurope")

    words = ("cost", "refresh", "--target", "azure", "--region", "westeurope", "--from")
    with played(europe) as list_:
        assert run(*words, list_.address)[0] == 0
        file = tmp_path / "prices" / "azure-westeurope.toml"
        first = table(tmp_path, "azure-westeurope")
        assert first["prices"]["aks.hour"]["source"] in first["sources"]
        assert first["prices"]["containerapps.cpu.hour"]["amount"] == "0.1116"
        text = file.read_text("utf-8").replace("[sources]", '[sources]\ncontract = "our agreement"')
        text = text.replace(
            '"lb.hour" = { amount = "0.025"', '"lb.hour" = { amount = "0.02"'
        )  # the amount alone is no sign of a person, its source is
        old = next(line for line in text.splitlines() if line.startswith('"containerapps.gb.hour"'))
        text = text.replace(old, '"containerapps.gb.hour" = { amount = "0.01", unit = "GB-hour", source = "contract" }')
        file.write_text(text, "utf-8")
        code, out, err = run(*words, list_.address, "-o", "json")
    assert code == 0, err
    again, said = table(tmp_path, "azure-westeurope"), json.loads(out)
    assert again["prices"]["containerapps.gb.hour"] == {"amount": "0.01", "unit": "GB-hour", "source": "contract"}
    assert again["prices"]["lb.hour"]["amount"] == "0.025"
    assert said["own"] == ["containerapps.gb.hour"]
    assert said["prices"]["lb.hour"] == {"unit": "hour", "amount": "0.025", "before": "0.02"}
    assert "aks.hour" in said["stayed"]
    assert {*first["prices"]} == {*again["prices"]}


def amazon(path: str, _: Query) -> Answer:
    """Answer as Amazon does: a file for each service, most of which are not there."""
    code = path.split("/")[4]
    assert path == f"/offers/v1.0/aws/{code}/current/eu-west-3/index.csv"
    stored = {"usageType": "EUW3-TimedStorage-ByteHrs", "Unit": "GB-Mo"}
    spare = {"Operating System": "Linux", "Pre Installed S/W": "NA", "CapacityStatus": "Used", "Unit": "Hrs"}
    machine = {"usageType": "EUW3-BoxUsage:m6i.large", "operation": "RunInstances", **spare}
    database = {"usageType": "EUW3-InstanceUsage:db.t4g.micro", "Unit": "Hrs"}
    written = {"usageType": "EUW3-WriteRequestUnits", "Unit": "WriteRequestUnits"}
    lines: dict[str, list[dict[str, str]]] = {
        "AmazonEC2": [
            {"usageType": "EUW3-NatGateway-Hours", "Unit": "Hrs", "PricePerUnit": "0.0500000000"},
            {**machine, "Tenancy": "Shared", "PricePerUnit": "0.112"},
            {**machine, "Tenancy": "Dedicated", "PricePerUnit": "0.2"},
            {**machine, "Tenancy": "Shared", "TermType": "Reserved", "PricePerUnit": "0.07"},
        ],
        "AmazonRDS": [
            {**database, "Database Engine": "PostgreSQL", "Deployment Option": "Single-AZ", "PricePerUnit": "0.018"},
            {**database, "Database Engine": "PostgreSQL", "Deployment Option": "Multi-AZ", "PricePerUnit": "0.036"},
            {**database, "Database Engine": "Oracle", "Deployment Option": "Single-AZ", "PricePerUnit": "0.5"},
        ],
        "AmazonDynamoDB": [
            {**written, "PricePerUnit": "0.0000007422"},
            {**stored, "PricePerUnit": "0"},
            {**stored, "PricePerUnit": "0.3", "StartingRange": "25"},
        ],
    }
    return offer(code, *lines[code]) if code in lines else NOTHING


def test_what_amazon_tells_is_read_line_by_line(run: Run, tmp_path: Path) -> None:
    with played(amazon) as list_:
        code, _, err = run("cost", "refresh", "--target", "aws", "--region", "eu-west-3", "--from", list_.address)
    assert code == 0, err
    assert {name: one["amount"] for name, one in table(tmp_path, "aws-eu-west-3")["prices"].items()} == {
        "nat.hour": "0.05",
        "ec2.m6i.large.hour": "0.112",
        "rds.db.t4g.micro.hour": "0.018",
        "dynamodb.write": "0.7422",
        "dynamodb.gb-month": "0.30",
    }
    assert "nothing was told of AmazonS3: it answers 404" in err


def test_google_is_asked_with_a_key_that_goes_in_a_header(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def google(path: str, query: Query) -> Answer:
        if path != "/v1/services/152E-C115-5142/skus":
            return catalog()
        if "pageToken" not in query:
            other = sku("Services CPU (Instance-based billing) in us-east4", "s", (0, 9), serviceRegions=["us-east4"])
            return catalog(other, after="two")
        return catalog(
            sku("Services CPU (Instance-based billing) in europe-west9", "s", (0, 18_000)),
            sku("Services CPU (Request-based billing)", "s", (0, 0), (180_000, 24_000)),
            sku("Requests", "count", (0, 0), (2_000_000, 400), serviceRegions=["global"]),
        )

    words = ("cost", "refresh", "--target", "gcp", "--region", "europe-west9", "--from")
    with played(google) as list_:
        code, _, err = run(*words, list_.address)
        assert (code, "GOOGLE_API_KEY is not set" in err, list_.asked) == (3, True, []), err
        monkeypatch.setenv("GOOGLE_API_KEY", "AIza-secret")
        code, _, err = run(*words, list_.address)
    assert code == 0, err
    assert {name: one["amount"] for name, one in table(tmp_path, "gcp-europe-west9")["prices"].items()} == {
        "run.cpu.hour": "0.0648",
        "run.asked.cpu": "0.0864",
        "run.request": "0.40",
    }
    assert all(headers["x-goog-api-key"] == "AIza-secret" for _, _, headers in list_.asked)
    assert not [query for _, query, _ in list_.asked if "AIza-secret" in str(query)]
    assert "AIza-secret" not in (tmp_path / "prices" / "gcp-europe-west9.toml").read_text("utf-8") + err
    code, _, err = run(*words, "http://prices.example")
    assert (code, "unencrypted" in err) == (3, True), err


def test_a_list_that_is_busy_is_asked_again_and_one_that_refuses_is_not(run: Run) -> None:
    left = [2]

    def busy(path: str, query: Query) -> Answer:
        if left[0]:
            left[0] -= 1
            return 429, {"Retry-After": "0"}, b""
        return france(path, query)

    with played(busy) as list_:
        code, _, err = run(*AZURE, "--from", list_.address)
    assert code == 0, err


@pytest.mark.parametrize("status", [400, 403])
def test_a_key_that_is_refused_is_said_at_once_and_never_shown(
    status: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("cost", "refresh", "--target", "gcp", "--region", "europe-west9", "--from")
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-wrong\r\n")
    with played(lambda *_: (status, {}, b"")) as list_:
        code, out, err = run(*words, list_.address)
        assert (code, f"refuses to tell prices: {status}" in err, len(list_.asked)) == (3, True, 1), err
        assert [headers["x-goog-api-key"] for _, _, headers in list_.asked] == ["AIza-wrong"]
        for odd in ("AIza-wr\nong", "AIza-wr\u2026ong"):
            monkeypatch.setenv("GOOGLE_API_KEY", odd)
            code, more, said = run(*words, list_.address)
            assert (code, "GOOGLE_API_KEY holds is no key" in said, len(list_.asked)) == (3, True, 1), said
            out, err = out + more, err + said
    assert "AIza" not in out + err


def test_what_amazon_does_not_have_in_a_region_is_left_out_however_it_says_so(run: Run, tmp_path: Path) -> None:
    """Its files lie where 403 says that there is none."""
    with played(lambda *asked: (403, {}, b"") if amazon(*asked)[0] == 404 else amazon(*asked)) as list_:
        code, _, err = run("cost", "refresh", "--target", "aws", "--region", "eu-west-3", "--from", list_.address)
    assert (code, "nothing was told of AmazonS3: it answers 403" in err) == (0, True), err
    assert "nat.hour" in table(tmp_path, "aws-eu-west-3")["prices"]


def test_a_file_that_breaks_off_is_none(run: Run, tmp_path: Path) -> None:
    def short(path: str, query: Query) -> Answer:
        status, headers, body = amazon(path, query)
        return status, {**headers, "Content-Length": str(len(body) + 1)}, body

    with played(short) as list_:
        code, _, err = run("cost", "refresh", "--target", "aws", "--region", "eu-west-3", "--from", list_.address)
    assert (code, "1 more expected" in err) == (3, True), err
    assert not (tmp_path / "prices").exists()


def test_a_table_in_another_currency_is_not_mixed_with_dollars(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "prices" / "azure-francecentral.toml"
    file.parent.mkdir()
    text = 'provider = "azure"\nregion = "francecentral"\ndate = "x"\ncurrency = "EUR"\n'
    file.write_text(text, "utf-8")
    with played(france) as list_:
        code, _, err = run(*AZURE, "--from", list_.address)
        assert (code, "its prices are in EUR" in err, list_.asked) == (1, True, []), err
    assert file.read_text("utf-8") == text


def test_a_source_of_a_person_may_be_called_like_a_list(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "prices" / "azure-francecentral.toml"
    file.parent.mkdir()
    file.write_text(
        'provider = "azure"\nregion = "francecentral"\ndate = "x"\n[sources]\nlist-of-ours = "agreed"\n[prices]\n'
        '"lb.hour" = { amount = "0.01", unit = "hour", source = "list-of-ours" }\n',
        "utf-8",
    )
    with played(france) as list_:
        code, _, err = run(*AZURE, "--from", list_.address)
    assert (code, "yours, so that they stay: lb.hour" in err) == (0, True), err
    assert table(tmp_path, "azure-francecentral")["prices"]["lb.hour"]["amount"] == "0.01"


@pytest.mark.parametrize(
    "address",
    ["http://[::1", "http://127.0.0.1:99999", "https://a b", "https://prices.example/?a=b", "https://pr\u2024.example"],
)
def test_an_address_that_is_none_is_refused(address: str, run: Run) -> None:
    code, _, err = run(*AZURE, "--from", address)
    assert (code, "is no address of a price list" in err) == (3, True), err


def test_a_password_in_an_address_is_neither_written_nor_said(run: Run, tmp_path: Path) -> None:
    code, out, err = run(*AZURE, "--from", "https://ada:hunter2@127.0.0.1:9")
    assert (code, "hunter2" in out + err, (tmp_path / "prices").exists()) == (3, False, False), err


def test_pages_without_end_are_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.cost.lists.asking._PAGES", 3)
    numbers = iter(range(1000))
    with played(lambda *_: page([], after=f"$skip={next(numbers)}")) as list_:
        code, _, err = run(*AZURE, "--from", list_.address)
    assert (code, "more than 3 pages" in err) == (3, True), err


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (lambda *_: page([]), "has no price of francecentral that is looked for"),
        (lambda *_: (200, {}, b'{"Items": "none"}'), "Expected `array`, got `str`"),
        (lambda *_: (302, {"Location": "http://127.0.0.1:9/"}, b""), "it answers 302"),
        (lambda *_: page([], after="api-version=x"), "its pages lead back to one another"),
        (lambda *_: (200, {"Content-Length": "99"}, b"{"), "cannot ask Azure Retail Prices"),
    ],
)  # fmt: skip
def test_an_odd_answer_is_said_and_nothing_is_written(
    answers: Callable[..., Answer], said: str, run: Run, tmp_path: Path
) -> None:
    with played(answers) as list_:
        code, out, err = run(*AZURE, "--from", list_.address)
    assert (code, said in err, "nothing was written" in err) == (3, True, True), err
    assert not out
    assert not (tmp_path / "prices").exists()


def test_without_a_network_it_says_so(run: Run, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        code, _, err = run(*AZURE, "--from", f"http://127.0.0.1:{free.getsockname()[1]}")
    assert (code, "Connection refused" in err, "HTTPS_PROXY" in err) == (3, True, True), err
    assert not (tmp_path / "prices").exists()
    assert run(*AZURE, "--from", "prices.azure.com")[0] == 3


def test_mistakes_are_told(run: Run, tmp_path: Path) -> None:
    code, _, err = run("cost", "--target", "azure", "refresh")
    assert (code, "shoal cost refresh --target" in err) == (2, True), err
    code, _, err = run("cost", "--region", "eu-central-9")
    assert (code, "did you mean eu-central-1?" in err) == (1, True), err
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "aws-eu-west-3.toml").write_text('provider = "aws"\nregion = "eu-west-1"\ndate = "x"\n')
    code, _, err = run("cost", "--region", "eu-west-3")
    assert (code, "it has prices of aws in eu-west-1" in err) == (1, True), err


def test_a_revision_is_compared_at_the_same_prices(run: Run, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)  # noqa: S603, S607 - a test's

    git("init", "-q")
    git("add", "system.py")
    git("commit", "-qm", "A till")
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "aws-eu-central-1.toml").write_text(
        'provider = "aws"\nregion = "eu-central-1"\ndate = "2026-11-23"\n[sources]\ncontract = "ours"\n[prices]\n'
        '"nat.hour" = { amount = "5", unit = "hour", source = "contract" }\n',
        "utf-8",
    )
    code, out, err = run("cost", "--diff", "HEAD", "-o", "json")
    assert code == 0, err
    changes = json.loads(out)["changes"]
    assert changes["before"] == changes["now"] == "10950.00"
