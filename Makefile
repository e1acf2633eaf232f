# Each target is a line or two that call the real tool. `make help` lists them.
VENV ?= .venv
PYTHON ?= python3
CARGO ?= cargo

.PHONY: help demo test test-rust test-python test-c lint bench header storm clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

$(VENV)/.built: bindings/python/pyproject.toml $(shell find core/src client/src bindings/python sandbox/src -name '*.rs' -o -name '*.py' -not -path '*/tests/*')
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -q 'maturin>=1.10,<2'
	VIRTUAL_ENV=$(abspath $(VENV)) $(VENV)/bin/maturin develop -q -m bindings/python/Cargo.toml
	touch $@

target/debug/pushcore-sandbox: $(shell find sandbox/src -name '*.rs') Cargo.lock
	$(CARGO) build -q -p pushcore-sandbox
	touch $@

demo: $(VENV)/.built target/debug/pushcore-sandbox ## send to APNs, FCM and Web Push on the sandbox
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) $(VENV)/bin/python examples/quickstart.py

test: test-rust test-python test-c ## everything

test-rust:
	$(CARGO) test --workspace --exclude pushcore-python -q

test-python: $(VENV)/.built target/debug/pushcore-sandbox
	$(VENV)/bin/pip install -q -r bindings/python/requirements-test.txt
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) $(VENV)/bin/python -m pytest -q bindings/python/tests

test-c:
	sh tests/c/run.sh

bench: ## what a push costs, beside the peers (minutes; PEERS=0 without them)
	sh benches/run.sh

header: ## write include/pushcore.h anew
	PUSHCORE_WRITE_HEADER=1 $(CARGO) test -q -p pushcore-ffi --test header the_committed

lint: ## rustfmt, clippy
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -q -- -D warnings

clean:
	$(CARGO) clean
	rm -rf $(VENV)
