"""Sagas compiled with what their steps ask for: nothing is inspected while they run."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from shoal.model.saga import Saga as SagaModel
from shoal.model.saga import Step
from shoal.runtime.inject import Plan
from shoal.runtime.metrics.registry import Metrics, Series
from shoal.runtime.sagas.instances import Direction, Instance
from shoal.service import codec
from shoal.service.declare import Service
from shoal.service.sagas import Saga, SagaDeclaration, StepDeclaration, Work, bound
from shoal.service.signature import analyse


class Task(msgspec.Struct, frozen=True):
    """One method of a saga, ready to be called."""

    step: Step
    work: Work
    plan: Plan
    series: Series


class Definition(msgspec.Struct, frozen=True):
    """One kind of saga, ready to be driven."""

    model: SagaModel
    kind: type[Saga[Any]]
    state: codec.Codec[Any]
    tasks: Mapping[tuple[str, Direction], Task]


def compile_sagas(
    service: Service, models: Mapping[str, SagaModel], values: Mapping[Any, Any], metrics: Metrics
) -> dict[str, Definition]:
    """Compile every saga of a service, by name; `models` are its described sagas."""
    return {
        declared.name: Definition(
            models[declared.name],
            declared.kind,
            codec.Codec(declared.state),
            dict(_tasks(service, declared, models[declared.name], values, metrics)),
        )
        for declared in service.sagas
    }


def _tasks(
    service: Service, saga: SagaDeclaration, model: SagaModel, values: Mapping[Any, Any], metrics: Metrics
) -> Iterator[tuple[tuple[str, Direction], Task]]:
    for declared, step in zip(saga.steps, model.steps, strict=True):
        for direction, work in _works(declared):
            plan = Plan(analyse(service, bound(saga.kind, work), event=saga.state), (), values)
            series = metrics.series("saga", f"{saga.name}.{getattr(work, '__name__', step.name)}")
            yield (step.name, direction), Task(step, work, plan, series)


def _works(declared: StepDeclaration) -> Iterator[tuple[Direction, Work]]:
    yield "forward", declared.work
    if declared.compensate is not None:
        yield "backward", declared.compensate


def repeatable(instance: Instance) -> str:
    """Make the key that stays the same for every attempt of what is in hand."""
    return _digest(instance.id, instance.started.isoformat(), instance.step, instance.direction)


def keys(instance: Instance) -> Callable[[str], str]:
    """Make what gives each call within one attempt its ``Idempotency-Key``.

    Calls of one operation are counted, so a step that makes several of them makes them in the same order each time; a
    call that differs from the first time under its key is refused by the callee and has no effect.
    """
    base, counted = repeatable(instance), dict[str, int]()

    def key(operation: str) -> str:
        counted[operation] = number = counted.get(operation, 0) + 1
        return _digest(base, operation, str(number))

    return key


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
