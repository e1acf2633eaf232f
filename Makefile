# Each target is a line or two that call the real tool. `make help` lists them.
VENV ?= .venv
PYTHON ?= python3
CARGO ?= cargo

.PHONY: help demo test test-rust test-python test-c size-c test-examples test-fanout test-campaign lint bench header storm storm-tls storm-hub interop msrv bare clean \
        need-demo need-test need-all need-interop

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

# What the machine lacks is installed by apt where that may be, else named in one line to type.
need-demo need-test need-all need-interop need-systems: need-%:
	@PYTHON=$(PYTHON) CARGO=$(CARGO) scripts/prerequisites.sh $*

# A virtual environment that was left half made (no pip in it) is made anew.
$(VENV)/.built: bindings/python/pyproject.toml $(shell find core/src client/src bindings/python sandbox/src -name '*.rs' -o -name '*.py' -not -path '*/tests/*') | need-demo
	$(VENV)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/pip install -q 'maturin>=1.10,<2'
	VIRTUAL_ENV=$(abspath $(VENV)) $(VENV)/bin/maturin develop -q -m bindings/python/Cargo.toml
	touch $@

target/debug/pushcore-sandbox: $(shell find sandbox/src -name '*.rs') Cargo.lock | need-demo
	$(CARGO) build -q -p pushcore-sandbox
	touch $@

target/debug/pushcore-peer: $(shell find tests/src tests/drivers -name '*.rs' -o -name '*.json') Cargo.lock
	$(CARGO) build -q -p pushcore-tests --bin pushcore-peer
	touch $@

demo: $(VENV)/.built target/debug/pushcore-sandbox ## send to APNs, FCM and Web Push on the sandbox
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) $(VENV)/bin/python examples/quickstart.py

test: test-rust test-python test-examples test-c test-apps ## every language and every example
	scripts/report.py check rust rust-l1 python examples

.PHONY: report
report: ## what the last run of the tests says of itself: tests, skips, drivers and their cases
	scripts/report.py check rust rust-l1 python examples
	scripts/report.py drivers

test-rust: need-test
	scripts/report.py run rust -- $(CARGO) test --workspace --exclude pushcore-python
	scripts/report.py run rust-l1 -- $(CARGO) test -p pushcore --no-default-features --lib # L1 alone

test-python: $(VENV)/.built target/debug/pushcore-sandbox target/debug/pushcore-peer | need-test
	$(VENV)/bin/pip install -q -r bindings/python/requirements-test.txt -r examples/requirements.txt # the examples are type-checked
	$(CARGO) build -q -p pushcore-tests --bin hostile-peer
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) PUSHCORE_PEER=$(abspath target/debug/pushcore-peer) scripts/report.py run python -- $(VENV)/bin/python -m pytest -q bindings/python/tests

test-c: need-test ## libpushcore: header, abi, bad input, vectors, sanitizers, valgrind, C++ and the examples
	scripts/report.py run c -- bash tests/c/run.sh

size-c: ## libpushcore's release builds beside their budget (minutes)
	sh tests/c/sizes.sh

.PHONY: test-apps test-kotlin test-swift
test-apps: target/debug/pushcore-sandbox | need-test # Kotlin and Swift where their tools are; says what it did not run
	scripts/report.py run apps -- scripts/test-apps.sh

test-kotlin: target/debug/pushcore-sandbox ## Kotlin; needs Maven and a JDK (scripts/install-kotlin.sh)
	scripts/test-kotlin.sh

test-swift: target/debug/pushcore-sandbox ## Swift; scripts/install-swift.sh unpacks one beside the system (1 GB)
	scripts/test-swift.sh

storm: ## 100 seeds of 1,000,000 messages under GOAWAY, resets and lost connections
	PUSHCORE_STORM_SEEDS=100 PUSHCORE_STORM_MESSAGES=1000000 $(CARGO) test --release -p pushcore-tests --test storm at_most_once -- --nocapture

storm-tls: ## 100,000 messages three times over TLS sockets, under the same and a network that cuts
	PUSHCORE_STORM_TLS_MESSAGES=100000 $(CARGO) test --release -p pushcore-tests --test storm_tls -- --nocapture --test-threads 1

storm-hub: ## 100,000 users with one to five devices on three services, of which one does not answer
	PUSHCORE_STORM_HUB_USERS=100000 $(CARGO) test --profile storm -p pushcore-tests --test hub storm -- --nocapture --test-threads 1

interop: $(VENV)/.built target/debug/pushcore-sandbox | need-interop ## beside other implementations, on the wire
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) tests/interop/run.sh $(abspath $(VENV)/bin/python)

test-examples: $(VENV)/.built target/debug/pushcore-sandbox | need-test ## every example against the sandbox
	$(CARGO) build -q -p pushcore-client --examples
	$(VENV)/bin/pip install -q -r examples/requirements.txt
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) scripts/report.py run examples -- $(VENV)/bin/python -m pytest -q -ra examples/tests

test-fanout: $(VENV)/.built target/debug/pushcore-sandbox | need-all ## a job on Celery and on Dask while workers are killed (redis-server)
	$(VENV)/bin/pip install -q -r examples/fanout/requirements.txt
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) $(VENV)/bin/python -m pytest -q -ra examples/fanout/tests

test-campaign: $(VENV)/.built target/debug/pushcore-sandbox ## 100,000 rows killed and cut off 50 times, with the sandbox's log as the oracle
	$(VENV)/bin/pip install -q -r bindings/python/requirements-test.txt
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) $(VENV)/bin/python bindings/python/tests/campaign_storm.py

# What the reference back end and the original clients of the systems need beside pushcore.
systems = $(VENV)/bin/pip install -q -r bindings/python/requirements-test.txt -r examples/hug/requirements.txt -r examples/hug/tests/requirements.txt \
	&& sh examples/hug/tests/original/install.sh $(abspath $(VENV))/bin/python $(abspath target/original)

test-systems: $(VENV)/.built target/debug/pushcore-sandbox | need-systems ## the original clients of Pinpoint, Pushpad, Ionic, Cozie, FCM against the back end
	$(systems)
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) scripts/report.py run systems -- $(VENV)/bin/python -m pytest -q -ra examples/hug/tests
	scripts/report.py check systems

test-systems-kill: $(VENV)/.built target/debug/pushcore-sandbox | need-systems ## kill -9 ten times in a broadcast to 10,000
	$(systems)
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) PUSHCORE_KILL_SENDS=10000 PUSHCORE_KILLS=10 \
		$(VENV)/bin/python -m pytest -q -s examples/hug/tests/test_killed.py

.PHONY: fuzz-dialects
fuzz-dialects: ## a million requests of other systems' clients with bytes changed, from a seed of the time
	PUSHCORE_FUZZ_DIALECTS=1000000 PUSHCORE_FUZZ_SEED=$$(date +%s) $(CARGO) test --release -p pushcore-tests --test dialect_systems fuzz -- --nocapture

hug: $(VENV)/.built target/debug/pushcore-sandbox ## the reference back end with a sandbox behind
	$(VENV)/bin/pip install -q -r examples/hug/requirements.txt
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) $(VENV)/bin/python examples/hug/serve.py

bench: ## what a push costs, beside the peers (minutes; PEERS=0 without them)
	sh benches/run.sh

header: ## write include/pushcore.h and docs/parity.md anew
	PUSHCORE_WRITE_HEADER=1 $(CARGO) test -q -p pushcore-ffi --test header --test parity the_committed

lint: ## rustfmt, clippy, and whether the faults of tests/mutants still fit
	$(PYTHON) tests/mutants/core.py --fits
	$(PYTHON) tests/mutants/python_driver.py --fits
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -q -- -D warnings
	$(CARGO) clippy -p pushcore --all-targets -q -- -D warnings # the core by itself
	$(CARGO) clippy -p pushcore --all-targets --no-default-features -q -- -D warnings # L1 alone
	RUSTDOCFLAGS="-D rustdoc::broken_intra_doc_links" $(CARGO) doc -q --no-deps -p pushcore -p pushcore-client -p pushcore-tokio

msrv: ## compile everything with Debian's Rust 1.85, in a tree of its own
	scripts/msrv.sh

bare: ## both of README's commands in a minimal Debian 12 root (needs root and debootstrap; minutes)
	scripts/bare.sh

.PHONY: all-tests mutants
all-tests: test test-fanout test-systems ## everything: also jobs that are killed, interop, short storms
	$(MAKE) interop
	PUSHCORE_STORM_SEEDS=3 PUSHCORE_STORM_MESSAGES=20000 $(CARGO) test -q -p pushcore-tests --test storm at_most_once
	PUSHCORE_STORM_TLS_MESSAGES=2000 $(CARGO) test -q -p pushcore-tests --test storm_tls -- --test-threads 1
	$(MAKE) mutants-sample

mutants: $(VENV)/.built target/debug/pushcore-sandbox target/debug/pushcore-peer ## faults put in on purpose, and whether a test notices each
	$(VENV)/bin/pip install -q -r bindings/python/requirements-test.txt
	$(PYTHON) tests/mutants/core.py
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) $(VENV)/bin/python tests/mutants/python_driver.py
	$(PYTHON) tests/mutants/rust.py $(if $(SAMPLE),--sample $(SAMPLE))
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) PUSHCORE_PEER=$(abspath target/debug/pushcore-peer) \
		$(VENV)/bin/python tests/mutants/python.py $(if $(SAMPLE),--sample $(SAMPLE))

.PHONY: mutants-sample
mutants-sample: $(VENV)/.built target/debug/pushcore-sandbox target/debug/pushcore-peer ## a few of them, the same until the sources change (minutes)
	$(VENV)/bin/pip install -q -r bindings/python/requirements-test.txt
	$(PYTHON) tests/mutants/rust.py --quick --just --sample 40 --only '/answer.rs|policy|retry|webpush/provider.rs'
	PUSHCORE_SANDBOX=$(abspath target/debug/pushcore-sandbox) PUSHCORE_PEER=$(abspath target/debug/pushcore-peer) \
		$(VENV)/bin/python tests/mutants/python.py --sample 10 --only _aio_

clean:
	$(CARGO) clean
	rm -rf $(VENV)
