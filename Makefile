# What can be done here: `make help`. Every target installs what it lacks, says what it does, and skips what is done.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# One thing after the other, but for what is said to go side by side: there cargo isn't handed make's own job server,
# which it couldn't open.
ifndef SIDE_BY_SIDE
.NOTPARALLEL:
else
unexport MAKEFLAGS MFLAGS
endif
SIDE_BY_SIDE_MAKE = $(MAKE) --no-print-directory --jobs=2 SIDE_BY_SIDE=true

CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)
export PATH := $(CACHE)/latchkey/tools/bin:$(CURDIR)/end2end/node_modules/.bin:$(PATH)

# In CI a lock file that doesn't fit Cargo.toml is an error; on a desk cargo brings it up to date. What is compiled once
# isn't prepared for being compiled again.
LOCKED := $(if $(CI),--locked)
ifdef CI
export CARGO_INCREMENTAL := 0
endif

# All crates but the browser's: together with it, `app` would be compiled for both halves at once. The target is named
# because cargo builds macros and build scripts with other flags where none is: the browser's half shares them, then.
# The demo, the tests and the browser's tests are built from the same selection, so that they share every crate.
HOST := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
SERVER_SIDE := --workspace --exclude frontend --target $(HOST)

# clippy in the compiler's place, as cargo clippy has it: it checks our own crates while they are compiled. By itself it
# would go through everything that they stand on once more.
CHECKED := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=--deny__CLIPPY_HACKERY__warnings

# As what ships is built, but for its optimising, which takes more than twice as long and changes nothing that a page
# shows: the built files lie in the binary. All but the server is the same in both.
AS_IT_SHIPS := $(foreach package,rust-embed server,--config profile.dev.package.$(package).debug-assertions=false)

# Tests wait for the disk more than for anything else, and throw away what they write: it lies in memory, where that has room.
IN_MEMORY := $(shell [ "$$(df -Pk /dev/shm 2>/dev/null | awk 'END { print $$4 }')" -gt 4000000 ] 2>/dev/null && echo TMPDIR=/dev/shm)

# The folders are listed with the files, so that a removed file counts as a change.
FRONT_SOURCES := $(shell find app frontend locales model public style tools 2>/dev/null) scripts/front.mjs scripts/optimise.mjs \
	end2end/package-lock.json Cargo.toml Cargo.lock .cargo/config.toml rust-toolchain.toml

.PHONY: help run watch build front demo tested test test-rust test-door test-browser test-shipped shipped check check-words bench torture \
	demo-reset setup setup-for-tests fmt clean

help: ## This list
	@echo "Latchkey. The first build takes 6 to 17 minutes on two cores, by the machine, later ones what changed."
	@echo
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## Serve the demo at http://localhost:3000 (seconds, once built)
	@echo "Building the demo, its two halves side by side (6 to 17 minutes the first time, seconds when nothing changed)…"
	@$(SIDE_BY_SIDE_MAKE) front demo
	@mkdir -p data
	@echo "Serving the demo at http://localhost:3000, with its data in data/ (Ctrl+C stops it)…"
	@LATCHKEY_DEMO=true LATCHKEY_LISTEN=127.0.0.1:3000 LATCHKEY_PUBLIC_URL=http://localhost:3000 \
		DATABASE_URL=sqlite:data/latchkey.db exec target/$(HOST)/debug/latchkey serve

# Both halves as quick to compile as can be, by cargo-leptos' own watch; what it leaves in target/site is no release.
watch: setup ## Serve the demo, building anew what changes while you work (reload the page to see it)
	@echo "Serving the demo at http://localhost:3000 and building anew whatever changes (Ctrl+C stops it)…"
	@MAKEFLAGS= scripts/setup --watch
	@mkdir -p data target/site
	@rm -f target/front.stamp
	@LATCHKEY_DEMO=true LATCHKEY_LISTEN=127.0.0.1:3000 LATCHKEY_PUBLIC_URL=http://localhost:3000 \
		DATABASE_URL=sqlite:data/latchkey.db LEPTOS_BIN_TARGET_TRIPLE=$(HOST) $(CHECKED) cargo leptos watch --split \
		--bin-cargo-args=--workspace --bin-cargo-args=--exclude=frontend -- serve

demo: setup
	@mkdir -p target/site
	@$(CHECKED) cargo build $(SERVER_SIDE) --bin latchkey $(LOCKED)

test: setup-for-tests check-words ## Everything that CI runs (10 to 25 minutes, 19 to 55 the first time, by the machine)
	@echo "Building the browser's half, the server and the tests side by side (7 to 23 minutes the first time, by the machine)…"
	@$(SIDE_BY_SIDE_MAKE) front tested
	@$(MAKE) --no-print-directory test-rust
	@$(MAKE) --no-print-directory test-door
	@$(MAKE) --no-print-directory test-shipped
	@echo "All tests passed."

test-rust: tested ## Every crate's tests, on SQLite and Postgres, and clippy (4 to 10 minutes, 10 to 25 the first time)
	@echo "Testing the crates, with SQLite and Postgres (4 to 10 minutes, by the machine)…"
	@$(IN_MEMORY) $(CHECKED) scripts/test-rust $(SERVER_SIDE) $(LOCKED)

# All that runs crates' tests and serves the browser's, with clippy's word on it.
tested: setup-for-tests
	@mkdir -p target/site
	@$(CHECKED) cargo build $(SERVER_SIDE) --all-targets $(LOCKED)

test-door: tested ## Send the API what its document says, and worse, as two tokens (a minute or two, once built)
	@echo "Sending the API what its document says, and worse, as two tokens (a minute or two)…"
	@$(IN_MEMORY) scripts/test-door target/$(HOST)/debug/latchkey

test-browser: tested front ## What people do, with JavaScript and without (7 to 13 minutes); ARGS="…" goes to Playwright
	@echo "Testing in the browser, with JavaScript and without (7 to 13 minutes)…"
	@cd end2end && $(IN_MEMORY) npx --no-install playwright test $(ARGS)

test-shipped: shipped ## The same on a binary as it ships (7 to 13 minutes, once built); ARGS="…" goes to Playwright
	@echo "Testing it in the browser, with JavaScript and without (7 to 13 minutes)…"
	@cd end2end && $(IN_MEMORY) LATCHKEY_BIN=$(CURDIR)/target/shipped/latchkey npx --no-install playwright test $(ARGS)

# Beside the tests' own, over which cargo lays it.
shipped: tested front
	@echo "Building a binary as it ships, but for its optimising (about a minute)…"
	@$(CHECKED) cargo build $(AS_IT_SHIPS) $(SERVER_SIDE) --bin latchkey $(LOCKED)
	@install -D target/$(HOST)/debug/latchkey target/shipped/latchkey

check: check-words tested ## Formatting, clippy and the types of the browser tests (about 3 minutes, 15 the first time)
	@echo "Checking the browser's half with clippy (about 1 minute, 5 the first time)…"
	@cargo clippy --package frontend --target wasm32-unknown-unknown $(LOCKED) -- --deny warnings

# What needs no compiling. clippy goes over the server's half with the crates' tests, over the browser's in its build.
check-words: setup-for-tests
	@echo "Checking the formatting (seconds)…"
	@cargo fmt --all --check
	@cargo fmt --manifest-path tools/browser_half/Cargo.toml --check
	@echo "Checking the types of the browser tests (seconds)…"
	@cd end2end && npm run --silent check

bench: build ## Measure the release build (about 8 minutes)
	@scripts/bench

build: front ## The one release binary, target/release/latchkey (14 to 40 minutes the first time, by the machine)
	@echo "Building the release binary (14 to 40 minutes the first time, by the machine, seconds when nothing changed)…"
	@cargo build --release --package server --bin latchkey $(LOCKED)

front: target/front.stamp

# By itself cargo knows better what changed; but the WASM would be parted and made smaller each time.
target/front.stamp: $(FRONT_SOURCES) | setup
	@echo "Building the browser's half: WASM, styles, compressed copies (1 to 6 minutes the first time)…"
	@cargo build --quiet --release --manifest-path tools/browser_half/Cargo.toml --target-dir target/tools --locked
	@$(CHECKED) cargo build --package frontend --lib --profile wasm-release --target wasm32-unknown-unknown \
		--target-dir target/front $(LOCKED)
	@node scripts/front.mjs target/tools/release/browser_half target/front/wasm32-unknown-unknown/wasm-release/frontend.wasm
	@touch $@

setup: ## Look for what building needs, and install what npm brings (a minute the first time)
	@scripts/setup

setup-for-tests: setup
	@scripts/setup --browser
	@scripts/setup --door

torture: tested ## Kill the server while it writes, and send it broken requests (about 5 minutes, once built)
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
