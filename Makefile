# What can be done here: `make help`. Every target installs what it lacks, says what it does, and skips what is done.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)
export PATH := $(CACHE)/latchkey/tools/bin:$(CURDIR)/end2end/node_modules/.bin:$(PATH)

# In CI a lock file that doesn't fit Cargo.toml is an error; on a desk cargo brings it up to date.
LOCKED := $(if $(CI),--locked)

# All crates but the browser's: together with it, `app` would be compiled for both halves at once. The target is named
# because cargo builds macros and build scripts with other flags where none is: the browser's half shares them, then.
HOST := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
SERVER_SIDE := --workspace --exclude frontend --target $(HOST)

# clippy in the compiler's place, as cargo clippy has it: it checks our own crates while they are compiled for their tests.
# By itself it would go through everything that they stand on once more.
CHECKED := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=--deny__CLIPPY_HACKERY__warnings

# Where it was made once, the server isn't compiled anew at each call for want of it.
SITE := target/site

# The folders are listed with the files, so that a removed file counts as a change.
FRONT_SOURCES := $(shell find app frontend locales model public style 2>/dev/null) \
	Cargo.toml Cargo.lock .cargo/config.toml rust-toolchain.toml

.PHONY: help run build setup setup-for-tests test check check-words test-rust test-browser test-postgres \
	bench torture demo-reset fmt clean

help: ## This list
	@echo "Latchkey. The first build takes about 35 minutes on two cores (tools 11, product 24), later ones what changed."
	@echo
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Serve the demo at http://localhost:3000 (seconds, once built)
	@mkdir -p data
	@echo "Serving the demo at http://localhost:3000, with its data in data/ (Ctrl+C stops it)…"
	@LATCHKEY_DEMO=true LATCHKEY_LISTEN=127.0.0.1:3000 LATCHKEY_PUBLIC_URL=http://localhost:3000 \
		DATABASE_URL=sqlite:data/latchkey.db exec target/release/latchkey serve

test: setup-for-tests check-words test-rust test-browser ## Everything that CI runs (about 30 minutes, 75 the first time)
	@echo "All tests passed."

test-rust: setup-for-tests ## Every crate's tests, on SQLite and Postgres, and clippy (about 7 minutes, 14 the first time)
	@echo "Checking and testing the crates, with SQLite and Postgres (about 7 minutes, 14 the first time)…"
	@mkdir -p $(SITE)
	@$(CHECKED) cargo build $(SERVER_SIDE) --benches --bin test-postgres $(LOCKED)
	@$(CHECKED) scripts/test-rust $(SERVER_SIDE) $(LOCKED)

test-browser: setup-for-tests build test-postgres ## What people do, with JavaScript and without (about 16 minutes); ARGS="…" goes to Playwright
	@echo "Testing in the browser, with JavaScript and without (about 16 minutes)…"
	@cd end2end && npx --no-install playwright test $(ARGS)

check: check-words ## Formatting, clippy and the types of the browser tests (about 2 minutes, 12 the first time)
	@echo "Checking the server's half with clippy (about 1 minute, 8 the first time)…"
	@cargo clippy $(SERVER_SIDE) --all-targets $(LOCKED) -- --deny warnings
	@echo "Checking the browser's half with clippy (about 1 minute, 5 the first time)…"
	@cargo clippy --package frontend --target wasm32-unknown-unknown $(LOCKED) -- --deny warnings

# What needs no compiling. clippy goes over the server's half with the crates' tests, over the browser's in its build.
check-words: setup-for-tests
	@echo "Checking the formatting (seconds)…"
	@cargo fmt --all --check
	@echo "Checking the types of the browser tests (seconds)…"
	@cd end2end && npm run --silent check

bench: build ## Measure the release build (about 5 minutes)
	@scripts/bench

build: setup target/front.stamp ## The one release binary, target/release/latchkey (about 24 minutes the first time)
	@echo "Building the server around it (about 16 minutes the first time, seconds when nothing changed)…"
	@cargo build --release --package server --bin latchkey $(LOCKED)

# cargo-leptos empties target/site and optimises every module again each time it is called; so only when a source is newer.
target/front.stamp: $(FRONT_SOURCES) | setup
	@echo "Building the browser's half: WASM, styles, compressed copies (about 8 minutes the first time)…"
	@$(CHECKED) cargo leptos build --release --split --frontend-only --precompress $(if $(CI),--cargo-locked)
	@touch $@

# Starts a Postgres of its own for the browser tests. Built beside what tests are made of, to share their cache: without it,
# crates have fewer features, and many are compiled anew.
test-postgres:
	@echo "Building the tests' Postgres starter (seconds after the crates' tests, else about 3 minutes)…"
	@$(CHECKED) cargo build $(SERVER_SIDE) --benches --bin test-postgres $(LOCKED)

setup: ## Install what building needs and is missing (about 11 minutes the first time, then a second)
	@scripts/setup

setup-for-tests: setup
	@scripts/setup --browser

torture: setup-for-tests ## Kill the server while it writes, and send it broken requests (about 5 minutes, once built)
	@echo "Building the server for it (seconds after the crates' tests, else about 14 minutes)…"
	@$(CHECKED) cargo build $(SERVER_SIDE) --benches $(LOCKED)
	@echo "Torturing it, on SQLite and on Postgres (about 5 minutes)…"
	@$(CHECKED) cargo test --quiet $(SERVER_SIDE) --bench torture $(LOCKED)

demo-reset: ## Forget the demo's data (stop `make run` before)
	@rm -f data/latchkey.db data/latchkey.db-wal data/latchkey.db-shm data/latchkey.db-stamp
	@echo "The demo's data is gone; the next 'make run' starts afresh. If a server is still running, stop it and run this again."

fmt: ## Format the Rust code (seconds)
	@cargo fmt --all

clean: ## Remove what was built and what tests left behind (keeps the tools and the demo's data)
	@cargo clean
	@rm -rf end2end/test-results end2end/playwright-report
