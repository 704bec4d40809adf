# Entry point for people and CI: `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh

UV ?= $(or $(shell command -v uv 2>/dev/null),$(CURDIR)/.tools/bin/uv)
export UV
RUN := $(UV) run --locked --no-sync
PYTEST := $(RUN) pytest -n auto --maxprocesses=4 --dist=loadfile
# The service must work without the extras; code that only runs here may import development dependencies.
DEPTRY := $(RUN) deptry --no-ansi
CHECK_SCHEMA := $(RUN) check-jsonschema --quiet --builtin-schema

# Variables after the target become environment variables of the programs:
# `make demo DURATION=60 RATE=50 ENVIRONMENT=production ROUTE=logfire-only`

.PHONY: help setup tools demo view doctor test faults scale drills producers bench test-integration test-containers test-browser pictures test-kubernetes test-cluster mutants answers stores lint format types redaction generate clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-18s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: tools ## Run the whole pipeline on this machine, without Docker (DURATION=60: stop after 60 s)
	@$(RUN) agentical demo

view: setup ## Serve the page for any Prometheus and Logfire (PROMETHEUS_URL=, LOGFIRE_QUERY_ENDPOINT=)
	@$(RUN) agentical view

doctor: setup ## Check that each signal arrives, and what of each service does (SERVICE=name: details)
	@$(RUN) agentical doctor $(if $(SERVICE),--service "$(SERVICE)")

test: setup ## Run the tests
	@$(RUN) agentical tools --tests
	@$(PYTEST) --ignore=tests/integration --ignore=tests/containers --ignore=tests/cluster --ignore=tests/browser --ignore=tests/kubernetes/distribution

faults: tools ## Run all fault tests with full outages and update docs/generated/faults.md (minutes)
	@rm -rf build/faults
	@FAULTS_OUTAGES=stated FAULTS_RECORD=$(CURDIR)/build/faults \
	  $(RUN) pytest -n 2 --timeout=1200 -v --ignore=tests/faults/test_table.py tests/faults
	@$(RUN) python -m tests.faults.support.table build/faults && $(RUN) python -m generate

scale: tools ## Kill, add and restart gateways under load and update docs/generated/scale.md (minutes)
	@rm -rf build/scale
	@FAULTS_OUTAGES=stated FAULTS_RECORD=$(CURDIR)/build/scale \
	  $(RUN) pytest -v tests/kubernetes/distribution/test_scale.py
	@$(RUN) python -m tests.kubernetes.scale_page build/scale && $(RUN) python -m generate

drills: tools ## Run all failure drills: which alerts fire, and who is notified (about 10 minutes)
	@$(RUN) agentical drill --all

producers: tools ## Run every kind of producer and update docs/generated/producers.md (half a minute)
	@$(RUN) python -m tests.producers.page && $(RUN) python -m generate

bench: tools ## Benchmark overhead, throughput and capacity (about 25 minutes)
	@$(RUN) python -m bench && $(RUN) python -m generate

redaction: tools ## Benchmark the scrubbing, by processor and by pattern (minutes)
	@$(RUN) python -m bench.redaction.measure && $(RUN) python -m generate

test-integration: tools ## Test the app against containers (native processes if there is no Docker engine)
	@$(RUN) pytest tests/integration

test-containers: tools ## Run `docker compose up` and check what arrives at both backends
	@$(RUN) pytest tests/containers

test-browser: tools ## Open the page in a real browser: every dashboard, and every link by a click
	@$(RUN) pytest tests/browser

pictures: tools ## Take the pictures of the docs from the running page (8 minutes)
	@$(RUN) python -m tests.browser.pictures

test-kubernetes: tools ## Test the manifests with the Kubernetes collector (built once: minutes)
	@$(RUN) pytest tests/kubernetes

test-cluster: setup ## Test the manifests in a cluster made here, as root (KUBECONFIG=file: in that one)
	@$(RUN) pytest tests/cluster

mutants: setup ## Mutation-test the alerts: each changed number must fail a test (CHANGED=1: this branch's)
	@$(RUN) agentical tools --tests
	@$(RUN) python -m tests.alerts.mutants $(if $(CHANGED),--changed)

answers: tools ## Test all backend responses and update docs/generated/backend-answers.md
	@$(RUN) python -m tests.guard.answers && $(RUN) python -m generate

stores: tools ## Ask long-term stores all queries and update docs/generated/long-term.md (a minute)
	@$(RUN) agentical tools --tests
	@$(RUN) python -m tests.long_term.page && $(RUN) python -m generate

lint: setup ## Check style, formatting, YAML, imports, dependencies, workflows and Renovate's rules
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

generate: setup ## Regenerate rules, dashboards and pages from their sources
	@$(RUN) python -m generate

setup: .venv/.synced ## Install the Python dependencies (other targets do this for you)

tools: setup ## Find or build the collector, Prometheus, Alertmanager and the page
	@$(RUN) agentical tools

clean: ## Remove the files that the targets created here (not the cache of built programs)
	rm -rf .venv .tools .pytest_cache .ruff_cache .mypy_cache build dist

.venv/.synced: pyproject.toml otelcol_runner/pyproject.toml pytest_otelcol/pyproject.toml uv.lock | $(UV)
	@$(UV) sync --locked --compile-bytecode
	@touch $@

$(CURDIR)/.tools/bin/uv:
	@.ci/install-uv
