# Needs git, make and Python 3.11 or newer. Everything else is installed into .venv, from locked files with hashes.
PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
LOCKED := $(VENV)/.locked
READY := $(VENV)/.ready
BENCH := $(VENV)/.bench
# The client of Service Bus comes as source, and who only runs the shop needs no compiler.
PROTON := $(VENV)/.proton
# What stands for Amazon pins the client that the services have, so it has an environment of its own.
AWS := .venv-aws
# So have a benchmark's opponent and the judge of manifests.
CDK8S := .venv-cdk8s
CHECKOV := .venv-checkov
# Two of them start engines, because Linux lets a user have 128 inotify instances and the shop's Envoy alone takes 49;
# the third fills the time in which these wait: see tests/sharing_out.py.
SHARED_OUT := --numprocesses 3 --dist loadfile --no-loadscope-reorder
COMPILE := CUSTOM_COMPILE_COMMAND="make lock" PIP_CONFIG_FILE=/dev/null \
	env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL -u PIP_TRUSTED_HOST \
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-build-isolation --newline=lf \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options $(if $(UPGRADE),--upgrade)

# Each word is one line of the matrix: choices as `shoal run --engine` takes them, joined by commas.
MATRIX := broker=nats orders.store=dynamodb,broker=sns products.store=mongo,orders.store=mongo,products.objects=s3,analytics.objects=s3,broker=kafka broker=rabbitmq products.objects=blob,analytics.objects=blob products.store=firestore,orders.store=firestore,broker=pubsub

# What is written for other places is validated by tools that take their time.
VALIDATED := $(wildcard tests/deploy/test_validate.py tests/deploy/*/test_validate.py)

# What needs a browser takes its time, too.
BROWSED := tests/dashboard/web

# So does looking for bugs that were planted, under many seeds. What `make check` asks is not asked twice.
PLANTED := tests/simulation/test_mutants.py
ELSEWHERE := tests/docs $(BROWSED) $(PLANTED) $(VALIDATED) tests/test_architecture.py

# Extras of the environment in which this repository is worked on.
EXTRAS := local local-kafka local-mongo local-objects rabbitmq aws import load otel sqlalchemy testing \
	shop warehouse pydantic dev

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

.PHONY: help run test browser pages validate mutants matrix check format simulate bench torture hostile lock clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(READY)  ## start the whole shop on this machine (ARGS="--one-process" …)
	@$(BIN)/shoal run $(ARGS)

test: $(READY) $(PROTON)  ## run the tests, in three processes (ARGS="tests/model -k plan" for some, in one)
	@$(BIN)/pytest $(or $(ARGS),$(SHARED_OUT) $(ELSEWHERE:%=--ignore %))

browser: $(READY)  ## use the dashboard as people do, in a real browser
	@$(BIN)/pytest $(or $(ARGS),$(SHARED_OUT) $(BROWSED))

pages: $(READY)  ## walk every page of the documentation as a reader would (ARGS="tests/docs/test_sagas.py" for one)
	@$(BIN)/pytest $(or $(ARGS),$(SHARED_OUT) tests/docs)

validate: $(READY)  ## hold all that is written for Kubernetes and the clouds against the schemas of others
	@$(BIN)/pytest $(or $(ARGS),$(SHARED_OUT) $(VALIDATED))

mutants: $(READY)  ## see that the simulation finds every planted bug
	@$(BIN)/pytest $(or $(ARGS),--numprocesses 2 $(PLANTED))

matrix: $(READY) $(PROTON) $(AWS)/.locked $(CHECKOV)/.locked  ## ask all of every engine: its driver, and the live shop on it (ENGINES=broker=kafka for one line)
	@$(if $(ENGINES),,SHOAL_MATRIX=1 $(BIN)/pytest -q tests/drivers tests/deploy/aws/test_live_streams.py \
		tests/deploy/aws/test_live_apply.py tests/deploy/aws/test_live_second_region.py tests/deploy/aws/test_provider.py \
		tests/deploy/gcp/test_live_streams.py tests/deploy/test_checkov.py)
	@for line in $(or $(ENGINES),$(MATRIX)); do echo "shop on $$line"; \
		$(BIN)/pytest -q tests/live shop/tests/test_live.py $$(echo ",$$line" | sed 's/,/ --engine /g') $(ARGS) || exit 1; done

check: $(READY)  ## lint, format, types, architecture, contracts: what must hold before a commit
	@echo "ruff check"; $(BIN)/ruff check --quiet --output-format concise
	@echo "ruff format"; $(BIN)/ruff format --check --quiet || { echo "Not formatted. Run: make format"; exit 1; }
	@echo "mypy"; $(BIN)/mypy
	@echo "architecture"; $(BIN)/pytest -q tests/test_architecture.py
	@echo "contracts of the shop"; $(BIN)/shoal -q contract diff --locked

format: $(READY)  ## format the code and apply the safe fixes
	@$(BIN)/ruff check --quiet --fix --exit-zero
	@$(BIN)/ruff format

simulate: $(READY)  ## simulate the test system under many seeds (SEEDS=100000, or SEED=7 for one)
	@$(BIN)/python -m shoal.testing.simulation tests.simulation.scenario:Shopping \
		--seeds $(or $(SEED),1-$(or $(SEEDS),10000)) $(ARGS)

bench: $(READY) $(PROTON) $(BENCH) $(AWS)/.locked $(CDK8S)/.locked  ## compare with the alternatives, as ratios (takes minutes)
	@$(BIN)/python -m bench $(ARGS)

torture: $(READY)  ## kill everything, again and again, while orders come in, and audit (takes half an hour)
	@$(BIN)/python -m tests.torture --write $(ARGS)
	@$(BIN)/python -m tests.idempotency 10000

hostile: $(READY)  ## attack the edge: sizes, slow clients, floods, in large numbers (TIMES=50; 20 if not said)
	@SHOAL_HOSTILE=$(or $(TIMES),20) $(BIN)/pytest $(wildcard tests/mesh/test_live_hostile_*.py) $(ARGS)

lock: $(READY)  ## pin every dependency again, with hashes (UPGRADE=1 for the newest)
	@echo "requirements/dev.txt"; $(COMPILE) -o requirements/dev.txt \
		$(addprefix --extra ,$(EXTRAS)) \
		pyproject.toml
	@echo "requirements/bench.txt"; $(COMPILE) -o requirements/bench.txt \
		--constraint requirements/dev.txt --extra bench pyproject.toml
	@echo "requirements/servicebus.txt"; $(COMPILE) -o requirements/servicebus.txt \
		--constraint requirements/dev.txt requirements/servicebus.in
	@for name in aws cdk8s checkov; do echo "requirements/$$name.txt"; \
		$(COMPILE) -o requirements/$$name.txt requirements/$$name.in || exit 1; done

clean:  ## remove the environment, the caches and what was built
	@rm -rf $(VENV) $(AWS) $(CDK8S) $(CHECKOV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Shoal needs Python 3.11 or newer and $(PYTHON) is older. Try: make PYTHON=python3.11"; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments. Install its venv module (Debian: apt install python3-venv)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(LOCKED): requirements/dev.txt | $(BIN)/python
	@echo "Installing $$(grep -c == $<) locked packages (once; one or two minutes)"
	@$(PIP) install --require-hashes -r $<
	@touch $@

$(READY): pyproject.toml $(LOCKED)
	@echo "Installing shoal itself"
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(PROTON): requirements/servicebus.txt $(LOCKED)
	@echo "Building the client of Service Bus (once; half a minute)"
	@$(PIP) install --require-hashes -r $< >/dev/null 2>&1 || \
		echo "It cannot be built without a C compiler and Python's headers: its tests are skipped, by name"
	@touch $@

.PHONY: $(AWS)
$(AWS): $(AWS)/.locked

.venv-%/.locked: requirements/%.txt | $(BIN)/python
	@echo "Installing $$(sed -n 's/==.*//p;q' requirements/$*.in) into .venv-$* (once)"
	@$(BIN)/python -m venv --clear .venv-$*
	@.venv-$*/bin/python -m pip --disable-pip-version-check -qq install --require-hashes -r $<
	@touch $@

$(BENCH): requirements/bench.txt $(READY)
	@echo "Installing what the benchmarks compare with"
	@$(PIP) install --require-hashes -r $<
	@touch $@
