"""All rules, a line each. Codes are chosen by hand and never used again."""

import importlib

from shoal.check.rule import AnyRule

NAMES = (
    "rule_failed",  # SH0: the check itself
    "system_unreadable",
    "ignored_without_reason",
    "ignored_without_use",
    "ignored_unknown",
    "baseline_outdated",
    "chain_too_long",  # SH1: coupling
    "call_cycle",
    "chatty_pair",
    "fan_out_without_budget",
    "nano_service",
    "god_service",
    "distributed_monolith",
    "shared_types",
    "event_as_command",
    "producer_asked_back",
    "shared_database",  # SH2: data
    "shared_database_seen",
    "two_systems_written",
    "saga_missing",
    "failure_unheard",
    "repeated_effect",
    "read_model_by_hand",
    "query_without_limit",
    "query_in_loop",
    "index_missing",
    "migration_locks",
    "migration_breaks",
    "call_without_timeout",  # SH3: resilience
    "retried_twice",
    "deadline_too_long",
    "promise_beyond_callees",
    "breaker_missing",
    "pool_too_large",
    "public_without_limit",
    "single_replica",
    "probe_missing",
    "size_without_bound",
    "public_write_open",  # SH4: security
    "owner_unchecked",
    "secret_in_code",
    "permission_unused",
    "personal_data_open",
    "personal_data_logged",
    "edge_undeclared",
    "edge_unused",
    "engine_ended",
    "secret_in_settings",
    "engine_reachable",
    "network_open",
    "context_lost",  # SH5: observability
    "names_without_end",
    "printed",
    "objective_missing",
    "runbook_missing",
    "logged_past",
    "breaking_change",  # SH6: contracts
    "operation_unused",
    "operation_undocumented",
    "contract_not_locked",
    "sunset_passed",
    "event_without_version",
    "size_missing",  # SH7: deployment
    "budget_impossible",
    "service_ended",
    "drifted",
    "name_too_long",
    "budget_exceeded",
)
"""Modules of `shoal.check.rules`, each with its ``RULE``."""

RULES: tuple[AnyRule, ...] = tuple(importlib.import_module(f"shoal.check.rules.{name}").RULE for name in NAMES)
