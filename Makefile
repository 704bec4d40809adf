# The one entry point, for people and for CI: `make` prints the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh

UV ?= $(or $(shell command -v uv 2>/dev/null),$(CURDIR)/.tools/bin/uv)
export UV
RUN := $(UV) run --locked --no-sync
PYTEST := $(RUN) pytest -n auto --maxprocesses=4 --dist=loadfile
# The service must get along without the extras; what only runs here may import what is for development.
DEPTRY := $(RUN) deptry --no-ansi
CHECK_SCHEMA := $(RUN) check-jsonschema --quiet --builtin-schema

# Variables given after the target reach the programs as environment:
# `make demo DURATION=60 RATE=50 VIEWER=aspire ENVIRONMENT=production ROUTE=logfire-only`

.PHONY: help setup tools demo doctor test faults scale drills bench test-integration test-containers test-kubernetes test-cluster mutants answers lint format types redaction generate clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-18s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: tools ## Run the whole pipeline here, no Docker (DURATION=60 ends by itself)
	@$(RUN) agentical demo

doctor: setup ## Send one trace, log and metric through a running pipeline and look for them
	@$(RUN) agentical doctor

test: setup ## Run the tests
	@$(RUN) agentical tools --tests
	@$(PYTEST) --ignore=tests/integration --ignore=tests/containers --ignore=tests/kubernetes/distribution

faults: tools ## Run every fault with its full outage (some minutes), for docs/generated/faults.md
	@rm -rf build/faults
	@FAULTS_OUTAGES=stated FAULTS_RECORD=$(CURDIR)/build/faults \
	  $(RUN) pytest -n 2 --timeout=1200 -v --ignore=tests/faults/test_table.py tests/faults
	@$(RUN) python -m tests.faults.support.table build/faults && $(RUN) python -m generate

scale: tools ## Kill, add and restart gateways under load (some minutes), for docs/generated/scale.md
	@rm -rf build/scale
	@FAULTS_OUTAGES=stated FAULTS_RECORD=$(CURDIR)/build/scale \
	  $(RUN) pytest -v tests/kubernetes/distribution/test_scale.py
	@$(RUN) python -m tests.kubernetes.scale_page build/scale && $(RUN) python -m generate

drills: tools ## Break a pipeline in every way there is a drill for, and see who is told (about 10 minutes)
	@$(RUN) agentical drill --all

bench: tools ## Measure what it costs against others, and how far it goes (about 25 minutes)
	@$(RUN) python -m bench && $(RUN) python -m generate

redaction: tools ## Measure what scrubbing costs, part by part and pattern by pattern (minutes)
	@$(RUN) python -m bench.redaction.measure && $(RUN) python -m generate

test-integration: tools ## The app against containers (native processes where there is no Docker engine)
	@$(RUN) pytest tests/integration

test-containers: tools ## `docker compose up` for real, checked at both backends
	@$(RUN) pytest tests/containers

test-kubernetes: tools ## Check the manifests with a collector that knows Kubernetes (built once: minutes)
	@$(RUN) pytest tests/kubernetes

test-cluster: setup ## Apply the manifests to a kind cluster, and run one task through it (needs Docker)
	@.ci/kind-cluster

mutants: setup ## Change every number of the alerts in turn: each time a test has to fail (minutes)
	@$(RUN) agentical tools --tests
	@$(RUN) python -m tests.alerts.mutants

answers: tools ## Try every answer that a backend can give, for docs/generated/backend-answers.md
	@$(RUN) python -m tests.guard.answers && $(RUN) python -m generate

lint: setup ## Check style, formatting, YAML, declared imports, workflows and Renovate's rules
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) yamllint --strict .
	@$(RUN) lint-imports
	@$(DEPTRY) app --optional-dependencies-dev-groups overlays,stand-in,stack
	@$(DEPTRY) app stack
	@$(DEPTRY) alerts bench generate grafana tests --ignore DEP002,DEP004
	@$(DEPTRY) otelcol_runner/src --config otelcol_runner/pyproject.toml
	@$(DEPTRY) pytest_otelcol/src --config pytest_otelcol/pyproject.toml
	@$(RUN) zizmor --offline --quiet .github
	@"$$($(RUN) agentical tools --actionlint)"
	@$(CHECK_SCHEMA) vendor.github-workflows .github/workflows/*.yml
	@$(CHECK_SCHEMA) vendor.github-actions .github/actions/*/action.yml
	@$(CHECK_SCHEMA) vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	@$(CHECK_SCHEMA) vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	@$(CHECK_SCHEMA) vendor.renovate renovate.json

format: setup ## Format the Python files
	@$(RUN) ruff check --fix --quiet . ; $(RUN) ruff format .

types: setup ## Check types
	@$(RUN) mypy
	@$(RUN) mypy otelcol_runner/tests
	@$(RUN) mypy pytest_otelcol/tests

generate: setup ## Write rules, dashboards and pages anew from what they are made of
	@$(RUN) python -m generate

setup: .venv/.synced ## Install what the Python parts need (the other targets do it for you)

tools: setup ## Find or build the collector, Prometheus and Alertmanager
	@$(RUN) agentical tools

clean: ## Remove what the targets made here (not the cache of built binaries)
	rm -rf .venv .tools .pytest_cache .ruff_cache .mypy_cache build dist

.venv/.synced: pyproject.toml otelcol_runner/pyproject.toml pytest_otelcol/pyproject.toml uv.lock | $(UV)
	@$(UV) sync --locked --compile-bytecode
	@touch $@

$(CURDIR)/.tools/bin/uv:
	@.ci/install-uv
