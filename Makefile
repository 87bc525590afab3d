# Build, test and use the contract: `make` prints how. What the targets do is in scripts/.

# What users give is data. Make would expand the value of a variable of its command line when it hands it on: one like $(shell COMMAND), copied from
# a message or passed on by another program, would run the command. With this line make keeps each as it is, and scripts get it by the environment.
$(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $v)),$(eval override $v := $$(value $v))$(eval export $v)))

# Make's own rules would take get-config-.c for a way to make get-config-. What the recipes start keeps them, which may be somebody else's make.
MAKEFLAGS += -rR
unexport MAKEFLAGS
# Letters, digits and order are the same in every country.
export LC_ALL := C
# A folder of the same name elsewhere is not entered.
unexport CDPATH

override NAME := peer-to-peer-energy-sharing
override quote = '$(subst ','\'',$1)'
override contract = @name=$(NAME) target=$(call quote,$@) network=$(call quote,$*) scripts/contract
# In front of a command that needs CARGO_TARGET_DIR or WASM.
override with_target := . scripts/target.sh;
# In front of one that starts a local network, and what that needs.
override with_localnet := $(with_target) LOCALNET="$${LOCALNET:-$$CARGO_TARGET_DIR/localnet/release/localnet}"
override localnet := $(if $(value LOCALNET),,localnet)
# Contracts that only tests use. They are built with a copy of the contract's lock file.
override test_contracts := scripts/e2e.d/relay app/test/token
override packages := . fuzz localnet gateway $(test_contracts)
override deny = for package in $(filter-out $(test_contracts),$(packages)); do \
		cargo deny --locked --manifest-path $$package/Cargo.toml check licenses bans sources || exit; \
	done; node app/licences.mjs

.PHONY: help setup build soroban-build optimize test test-verbose test-wasm test-next test-scripts test-localnet test-gateway gateway-bars soak costs mutants \
	mutants-diff fuzz deny format check check-format clippy doc check-all demo neighbourhood client app app-serve app-test e2e localnet network-local network-docker \
	release clean info

help:
	$(contract) help

## Develop
setup: ## Install what is missing: the Wasm target and the stellar CLI (on Debian it needs libdbus-1-dev libudev-dev pkg-config)
	rustup target list --installed | grep -qx wasm32v1-none || rustup target add wasm32v1-none
	. .ci/versions; command -v stellar || cargo install --locked stellar-cli --version "$$CLI_VERSION"
	@. .ci/versions; stellar --version | grep -q "^stellar $$CLI_VERSION " || \
		echo "note: the stellar CLI here is not version $$CLI_VERSION, whose builds have other bytes"

build: ## Build the optimised Wasm, which names the commit and the sources that it is made from
	$(contract) build

soroban-build: build ## The same
optimize: build ## The same: a build optimises, and prints the size before and after

test: ## Run the tests
	cargo test

test-verbose: ## Run the tests and show what they print
	cargo test -- --nocapture

test-wasm: build ## Run the tests against the built Wasm, and hold its size, functions and costs to their goals
	$(with_target) CONTRACT_WASM="$$WASM" cargo test -- --include-ignored

test-next: build ## Run the tests against the built Wasm on the host of the next protocol (the first time a quarter of an hour)
	scripts/test-next

test-scripts: build $(localnet) ## Test the Makefile and scripts/contract, also on a local network
	$(with_localnet) scripts/test

test-localnet: ## Test the local network
	$(with_target) cargo test --locked --release --manifest-path localnet/Cargo.toml --target-dir "$$CARGO_TARGET_DIR/localnet"

test-gateway: build $(localnet) ## Test the gateway, also with the contract on networks that fail and lie, and through 200 crashes (needs Debian's faketime)
	$(with_localnet) cargo test --locked --manifest-path gateway/Cargo.toml --target-dir "$$CARGO_TARGET_DIR/gateway" -- --include-ignored

soak: build $(localnet) ## Play SOAK_DAYS (30) of SOAK_HOUSEHOLDS (50) with SOAK_KILLS (1000) and faults in SOAK_FAULTS (60) of 1,000 requests; prints its figures
	$(with_localnet) SOAK_HOUSEHOLDS="$${SOAK_HOUSEHOLDS:-50}" SOAK_KILLS="$${SOAK_KILLS:-1000}" SOAK_STEP_MS="$${SOAK_STEP_MS:-2000}" \
		cargo test --locked --release --manifest-path gateway/Cargo.toml --target-dir "$$CARGO_TARGET_DIR/gateway" \
		--test faults month -- --include-ignored --nocapture

gateway-bars: build $(localnet) ## Hold the gateway to its bars: size, memory, an evening of HOUSEHOLDS (50), a year of quarter hours of MEMBERS (100)
	$(with_target) cargo build --locked --release --bin p2p-gateway --example year --manifest-path gateway/Cargo.toml --target-dir "$$CARGO_TARGET_DIR/gateway"
	$(with_target) "$$CARGO_TARGET_DIR/gateway/release/examples/year" $(or $(MEMBERS),100)
	$(with_localnet) GATEWAY="$$CARGO_TARGET_DIR/gateway/release/p2p-gateway" cargo run --locked --quiet --manifest-path gateway/Cargo.toml \
		--target-dir "$$CARGO_TARGET_DIR/gateway" --example evening -- $(or $(HOUSEHOLDS),50)

costs: build ## Measure what each call costs on the built Wasm, and write it into docs/costs.md
	$(with_target) CONTRACT_WASM="$$WASM" cargo run --quiet --example costs
	@git diff --quiet HEAD -- . ':!docs' || echo "note: uncommitted sources have no hash to name, so this Wasm is shorter than CI's: commit, measure, and amend"

mutants: ## Change the contract in one place at a time: does a test notice? (needs cargo install --locked cargo-mutants, and an hour)
	$(with_target) SHRINKS=0 CARGO_TARGET_DIR="$$CARGO_TARGET_DIR/mutants" cargo mutants --output "$$CARGO_TARGET_DIR"

mutants-diff: ## The same, only where the contract differs from BASE
	$(with_target) mkdir -p "$$CARGO_TARGET_DIR" && git diff "$${BASE:-origin/main}" -- src >"$$CARGO_TARGET_DIR/mutants.diff" && \
	SHRINKS=0 CARGO_TARGET_DIR="$$CARGO_TARGET_DIR/mutants" cargo mutants --output "$$CARGO_TARGET_DIR" --in-diff "$$CARGO_TARGET_DIR/mutants.diff"

fuzz: ## Have libFuzzer make up sequences of calls for FUZZ_SECONDS, 300; what fails goes into fuzz/seeds (needs cargo install --locked cargo-fuzz)
	$(with_target) mkdir -p "$$CARGO_TARGET_DIR/corpus" && \
	RUSTC_BOOTSTRAP=1 cargo fuzz run -s none --target-dir "$$CARGO_TARGET_DIR/fuzz" sequence "$$CARGO_TARGET_DIR/corpus" fuzz/seeds -- \
		-artifact_prefix=fuzz/seeds/ -max_len=801 -max_total_time="$${FUZZ_SECONDS:-300}"

format: ## Format the code
	for package in $(packages); do cargo fmt --manifest-path $$package/Cargo.toml || exit; done

check-format:
	for package in $(packages); do cargo fmt --check --manifest-path $$package/Cargo.toml || exit; done

check: ## Type-check everything
	cargo check --all-targets

clippy: ## Lint; a warning is an error
	cargo clippy --all-targets --all-features -- -D warnings
	$(with_target) cargo clippy --locked --release --all-targets --manifest-path localnet/Cargo.toml --target-dir "$$CARGO_TARGET_DIR/localnet" \
		-- -D warnings
	$(with_target) cargo clippy --locked --all-targets --manifest-path gateway/Cargo.toml --target-dir "$$CARGO_TARGET_DIR/gateway" -- -D warnings

deny: ## Check the licences, versions and sources of all dependencies (needs cargo install --locked cargo-deny)
	$(deny)

doc: ## Build the code's documentation; a warning is an error
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features

check-all: check-format clippy doc test test-localnet test-gateway ## Everything that must pass: format, lints, licences, documentation, tests; changes nothing
	scripts/test
	@if command -v cargo-deny >/dev/null; then $(deny); else echo "not checked: licences (cargo install --locked cargo-deny)"; fi

demo: ## Play a whole life cycle on an embedded ledger
	$(with_target) cargo build --example demo && cargo run --quiet --example demo

neighbourhood: ## Play a neighbourhood on this machine until Ctrl-C, with Rust and Node alone: FRESH=1 begins anew, DAY_SECONDS is 60
	@scripts/neighbourhood

client: build app/node_modules/.package-lock.json ## Generate the typed TypeScript client into app/client, and compile app/examples/client.ts with it
	$(with_target) cd app && npx --no @stellar/stellar-sdk generate --wasm "$$WASM" --output-dir client --contract-name $(NAME) --overwrite >/dev/null
	@# The generator uses the errors as a type, but declares only their values; and it imports a type that it does not use.
	@echo "$$(sed -n 's/^export const \([A-Za-z]*Error\) = .*/export type \1 = (typeof \1)[keyof typeof \1];/p' app/client/src/types.ts)" >>app/client/src/types.ts
	@echo 'export type { Address };' >>app/client/src/types.ts
	cd app && npm run --silent examples

app: client ## Build the neighbours' page into app/dist; it vouches for this build of the contract and those in app/releases.json
	$(with_target) cd app && npm run --silent build

app-serve: app ## Serve the page on this machine, with the last deployment on NETWORK
	$(contract) page
	@cd app && npm run --silent serve

app-test: app $(localnet) ## Lint the page, and play a month and scenes on it in Chromium, each on a network of its own
	cd app && npm run --silent lint
	$(with_target) mkdir -p "$$CARGO_TARGET_DIR/page-token" && cp -p app/test/token/* Cargo.lock "$$CARGO_TARGET_DIR/page-token" && \
	stellar --quiet contract build --manifest-path "$$CARGO_TARGET_DIR/page-token/Cargo.toml" --out-dir "$$CARGO_TARGET_DIR/page-token"
	node app/node_modules/typescript/bin/tsc -p app/test
	$(with_target) cargo build --locked --manifest-path gateway/Cargo.toml --target-dir "$$CARGO_TARGET_DIR/gateway"
	$(with_localnet) node app/node_modules/@playwright/test/cli.js test --config app $${SCENE:+--grep "$$SCENE"}

app/node_modules/.package-lock.json: app/package-lock.json
	cd app && npm ci

localnet:
	$(with_target) cargo build --locked --release --manifest-path localnet/Cargo.toml --target-dir "$$CARGO_TARGET_DIR/localnet"

network-local: localnet ## Run a network on this machine, http://localhost:8000, whose clock can be moved: localnet/README.md
	$(with_target) exec "$$CARGO_TARGET_DIR/localnet/release/localnet" --port 8000

network-docker: ## Start Stellar's own image of a network in its place, ready in a minute; needs Docker
	$(contract) start_network

e2e: client $(if $(value NETWORK),,$(localnet)) ## Play whole lives of trades on a network of its own or on NETWORK, and show what they cost there
	$(with_localnet) scripts/e2e

release: ## Build the commit twice, compare, and put the Wasm, the sources' archive and their checksums into target/release-files
	$(contract) release

clean: ## Remove what was built
	cargo clean
	rm -rf app/client app/build app/dist

info: ## Print the version and, once built, the Wasm's path, size, hash, metadata and functions
	$(contract) info

# A file named like a target does not stand for it.
.PHONY: FORCE

# Those of a network, without its name.
override nameless := $(shell sed -n 's/^\([a-z-]*\)-%:.*/\1/p' Makefile)
.PHONY: $(nameless) $(nameless:=-)
$(nameless) $(nameless:=-):
	@echo "error: on which network? make $(patsubst %-,%,$@)-testnet, or another name in place of testnet" >&2; exit 1

## Use the contract on a network N that the stellar CLI knows: local, testnet, mainnet or one you added
deploy-%: $(if $(value WASM_HASH),FORCE,build) ## Deploy the Wasm, or WASM_HASH of the network without a build, and save the contract's id
	$(contract) deploy

init-%: FORCE ## Set the admin and the token, and verify them
	$(contract) init

verify-%: build ## Compare a deployed contract with the local build, and say what that proves
	$(contract) verify

set-admin-%: FORCE ## Hand the admin's role over
	$(contract) act set_admin ADMIN_ADDRESS NEW_ADMIN_ADDRESS

register-prosumer-%: FORCE ## Register a household or business
	$(contract) act register_prosumer PROSUMER_ADDRESS PROSUMER_ADDRESS

register-meter-%: FORCE ## Certify a prosumer's meter and the power of its plant; METER_ADDRESS=none retires it
	$(contract) register_meter

create-agreement-%: FORCE ## Offer energy to a consumer
	$(contract) act create_agreement PROVIDER_ADDRESS PROVIDER_ADDRESS CONSUMER_ADDRESS ENERGY_AMOUNT_KWH PRICE_PER_KWH DELIVERY_DEADLINE

fund-agreement-%: FORCE ## Deposit an agreement's total; DEPOSIT is metered or reviewed
	$(contract) fund_agreement

cancel-agreement-%: FORCE ## End an open agreement
	$(contract) act cancel_agreement CANCELLER_ADDRESS AGREEMENT_ID CANCELLER_ADDRESS

claim-refund-%: FORCE ## Return what a deposit holds beyond what is owed; any SOURCE
	$(contract) act claim_refund SOURCE AGREEMENT_ID

deliver-energy-%: FORCE ## Record a delivery; where a meter is certified, SOURCE is the meter, which alone signs
	$(contract) deliver_energy

settle-payment-%: FORCE ## Pay for a delivery; where a provider settles without a deposit, SOURCE is the consumer
	$(contract) act settle_payment SETTLER_ADDRESS TRANSACTION_ID SETTLER_ADDRESS

settle-agreement-%: FORCE ## Pay for an agreement's deliveries up to and with THROUGH, with one transfer; SOURCE as above
	$(contract) act settle_agreement SETTLER_ADDRESS AGREEMENT_ID THROUGH SETTLER_ADDRESS

dispute-transaction-%: FORCE ## Dispute a delivery
	$(contract) act dispute_transaction DISPUTER_ADDRESS TRANSACTION_ID DISPUTER_ADDRESS

resolve-dispute-%: FORCE ## Rule how much is to be paid; where the parties compromise, SOURCE is the other one
	$(contract) act resolve_dispute RESOLVER_ADDRESS TRANSACTION_ID ENERGY_ACCEPTED_KWH RESOLVER_ADDRESS

close-dispute-%: FORCE ## Rule by default after 30 days; any SOURCE
	$(contract) act close_dispute SOURCE TRANSACTION_ID

get-config-%: FORCE ## Show the admin and the token
	$(contract) show get_config

get-prosumer-%: FORCE ## Show a prosumer
	$(contract) show get_prosumer PROSUMER_ADDRESS

get-prosumer-count-%: FORCE ## Show how many prosumers are registered
	$(contract) show get_prosumer_count

get-agreement-%: FORCE ## Show an agreement and its state; status 0 is active, 1 delivered, 2 settled, 3 cancelled, 4 expired
	$(contract) show get_agreement AGREEMENT_ID
	$(contract) show get_agreement_state AGREEMENT_ID

get-transaction-%: FORCE ## Show a transaction and its state; status 1 is delivered, 2 settled, 3 disputed
	$(contract) transaction

get-agreement-transactions-%: FORCE ## Show all transactions of an agreement and their states, the oldest first
	$(contract) show get_agreement_transactions AGREEMENT_ID
	$(contract) show get_transaction_states AGREEMENT_ID

get-agreements-%: FORCE ## Show a prosumer's newest agreements and their states, the newest first; BEFORE and LIMIT turn pages
	$(contract) show get_agreement_page PROSUMER_ADDRESS BEFORE LIMIT

get-history-%: FORCE ## Show all transactions of a prosumer, agreement by agreement, the oldest first
	$(contract) show get_transaction_history PROSUMER_ADDRESS

extend-%: FORCE ## Extend the life of the contract and of its code to the network's most, 180 days; any SOURCE pays
	$(contract) extend
