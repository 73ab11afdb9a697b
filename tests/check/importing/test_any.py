"""Files that have the form of a system and anything within: every rule can be asked about them."""

import datetime as dt
import json
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.check.importing.facts import Facts
from shoal.check.importing.modelled import modelled
from shoal.check.importing.reading import documents
from shoal.check.importing.table import facts
from shoal.check.rules.rule_failed import RULE as RULE_FAILED
from shoal.check.runner import run
from shoal.check.settings import Settings
from shoal.check.subject import Subject
from shoal.check.table import RULES

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(
        [
            "a",
            "b",
            "http://a",
            "postgres://a:word@b:5432/x",
            "${A:-b}",
            "$(A)",
            "--token",
            "--password=x",
            "#/a",
            "other.yaml",
            "host",
        ]
    )
)
NAMES = st.sampled_from(["a", "b", "gateway", "1", "A_URL", "PASSWORD", "$ref", "<<"])


def words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split())


def within(keys: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    """Build anything of these words."""
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | NAMES, inner, max_size=4),
        max_leaves=12,
    )


def fields(keys: str) -> st.SearchStrategy[Mapping[str, object]]:
    return st.dictionaries(words(keys), within(words(keys)), max_size=6)


SERVICE = fields(
    "image build extends environment env_file ports depends_on links command deploy networks service file published"
    " host_ip resources limits memory replicas context args path aliases target hostname network_mode scale"
)
COMPOSE = st.fixed_dictionaries({"services": st.dictionaries(NAMES, SERVICE, max_size=4), "include": SCALARS})
POD = fields(
    "containers initContainers name image env envFrom value valueFrom secretKeyRef configMapRef args resources"
)
OBJECT = st.fixed_dictionaries(
    {
        "apiVersion": st.just("v1"),
        "kind": words(
            "Pod Deployment Service Ingress HTTPRoute VirtualService Secret ConfigMap List NetworkPolicy CronJob"
        ),
        "metadata": st.fixed_dictionaries(
            {"name": SCALARS, "namespace": SCALARS, "annotations": SCALARS, "labels": POD}
        ),
        "spec": POD
        | st.fixed_dictionaries({"template": st.fixed_dictionaries({"spec": POD, "metadata": POD}), "selector": POD}),
        "data": fields("word key PASSWORD"),
        "items": st.lists(POD, max_size=2),
    }
)
OPENAPI = st.fixed_dictionaries(
    {
        "openapi": SCALARS,
        "info": SCALARS,
        "security": within(NAMES),
        "paths": st.dictionaries(NAMES, fields("get post security $ref summary")),
    }
)
ASYNCAPI = st.fixed_dictionaries(
    {
        "asyncapi": st.just("3.0.0"),
        "channels": st.dictionaries(
            NAMES, fields("messages publish subscribe message oneOf payload headers traits allOf servers address $ref")
        ),
        "operations": st.dictionaries(NAMES, fields("action channel reply $ref messages")),
        "servers": st.dictionaries(NAMES, fields("protocol host $ref")),
    }
)


def told(*trees: object) -> Facts:
    read = [document for number, tree in enumerate(trees) for document in documents(f"{number}.yaml", json.dumps(tree))]
    other = json.dumps({"services": {"a": {"image": "a", "extends": {"file": "other.yaml", "service": "a"}}}})
    return facts(read, lambda _: other)


@settings(max_examples=120, deadline=None)
@given(COMPOSE, st.lists(OBJECT, max_size=4), OPENAPI, ASYNCAPI)
def test_every_rule_can_be_asked(compose: object, objects: list[object], openapi: object, asyncapi: object) -> None:
    found = told(compose, *objects, openapi, asyncapi)
    texts = {"0.yaml": json.dumps(compose)}
    subject = Subject(system=modelled(found, "any"), imported=found, files=texts, now=dt.datetime.now(dt.UTC))
    report = run(subject, RULES, Settings())
    assert [finding.message for finding in report.findings if finding.code == RULE_FAILED.code] == []
    assert {path: len(text) for path, text in subject.shown.items()} == {
        path: len(text) for path, text in texts.items()
    }
