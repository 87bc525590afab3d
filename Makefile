# Build, test and use the contract: `make` prints how. What the targets do is in scripts/.

# What users give is data: make does not expand it, and scripts get it by the environment only.
$(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $v)),$(eval override $v := $$(value $v))$(eval export $v)))

override NAME := peer-to-peer-energy-sharing
override WASM = $${CARGO_TARGET_DIR:-$$PWD/target}/wasm32v1-none/release/$(subst -,_,$(NAME)).wasm
override contract = @name=$(NAME) wasm="$(WASM)" target='$@' network='$*' scripts/contract
# Those of other packages than the contract's, which cargo fmt leaves alone.
override other_packages := fuzz/*.rs scripts/e2e.d/relay/*.rs

.PHONY: help setup build soroban-build optimize test test-verbose test-wasm test-next costs mutants mutants-diff fuzz deny format check clippy \
	check-all demo client app app-serve app-test e2e network-local release clean info

help:
	$(contract) help

## Develop
setup: ## Install what is missing: the Wasm target and the stellar CLI (on Debian it needs libdbus-1-dev libudev-dev pkg-config)
	rustup target list --installed | grep -qx wasm32v1-none || rustup target add wasm32v1-none
	command -v stellar || cargo install --locked stellar-cli

build: ## Build the optimised Wasm, which names the commit and the sources that it is made from
	$(contract) build

soroban-build: build ## The same
optimize: build ## The same: a build optimises, and prints the size before and after

test: ## Run the tests
	cargo test

test-verbose: ## Run the tests and show what they print
	cargo test -- --nocapture

test-wasm: build ## Run the tests against the built Wasm, and hold its size, functions and costs to their goals
	CONTRACT_WASM="$(WASM)" cargo test -- --include-ignored

test-next: build ## Run the tests against the built Wasm on the host of the next protocol (the first time a quarter of an hour)
	scripts/test-next "$(WASM)"

costs: build ## Measure what each call costs on the built Wasm, and write it into docs/costs.md
	CONTRACT_WASM="$(WASM)" WRITE_COSTS=1 cargo test --quiet the_page_shows_the_costs -- --include-ignored --nocapture

mutants: ## Change the contract in one place at a time: does a test notice? (needs cargo install --locked cargo-mutants, and an hour)
	SHRINKS=0 CARGO_TARGET_DIR="$${CARGO_TARGET_DIR:-$$PWD/target}/mutants" cargo mutants --output target

mutants-diff: ## The same, only where the contract differs from BASE
	mkdir -p target && git diff "$${BASE:-origin/main}" -- src >target/mutants.diff
	SHRINKS=0 CARGO_TARGET_DIR="$${CARGO_TARGET_DIR:-$$PWD/target}/mutants" cargo mutants --output target --in-diff target/mutants.diff

fuzz: ## Have libFuzzer make up sequences of calls for FUZZ_SECONDS, 300; what fails goes into fuzz/seeds (needs cargo install --locked cargo-fuzz)
	mkdir -p target/corpus
	RUSTC_BOOTSTRAP=1 cargo fuzz run -s none --target-dir "$${CARGO_TARGET_DIR:-$$PWD/target}/fuzz" sequence target/corpus fuzz/seeds -- \
		-artifact_prefix=fuzz/seeds/ -max_len=801 -max_total_time="$${FUZZ_SECONDS:-300}"

format: ## Format the code
	cargo fmt
	rustfmt --edition 2021 $(other_packages)

check: ## Type-check everything
	cargo check --all-targets

clippy: ## Lint; a warning is an error
	cargo clippy --all-targets -- -D warnings

deny: ## Check the licences, versions and sources of all dependencies (needs cargo install --locked cargo-deny)
	cargo deny --locked check licenses bans sources

check-all: ## Everything that must pass: format, lints, licences, documentation, tests; changes nothing
	cargo fmt --check
	rustfmt --check --edition 2021 $(other_packages)
	cargo clippy --all-targets -- -D warnings
	@if command -v cargo-deny >/dev/null; then $(MAKE) deny; else echo "not checked: licences (cargo install --locked cargo-deny)"; fi
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps
	cargo test

demo: ## Play a whole life cycle on an embedded ledger
	cargo run --quiet --example demo

client: build app/node_modules/.package-lock.json ## Generate the typed TypeScript client into app/client, and compile app/examples/client.ts with it
	wasm="$(WASM)"; cd app && npx --no @stellar/stellar-sdk generate --wasm "$$wasm" --output-dir client --contract-name $(NAME) --overwrite >/dev/null
	@# The generator uses the errors as a type, but declares only their values.
	@echo "$$(sed -n 's/^export const \([A-Za-z]*Error\) = .*/export type \1 = (typeof \1)[keyof typeof \1];/p' app/client/src/types.ts)" >>app/client/src/types.ts
	cd app && npm run --silent examples

app: client ## Build the neighbours' page into app/dist
	cd app && npm run --silent build

app-serve: app ## Serve the page on this machine, with the last deployment on NETWORK
	@network=$${NETWORK:-local}; id=$$(stellar contract alias show --network "$$network" $(NAME) 2>/dev/null) || id=; \
	echo "http://127.0.0.1:4173/$${id:+?contract=$$id&network=$$network}"; cd app && npm run --silent serve

app-test: app ## Play a month on the page in Chromium, on a network of its own: LOCALNET
	WASM="$(WASM)" node app/build/test/run.js

app/node_modules/.package-lock.json: app/package-lock.json
	cd app && npm ci

network-local: ## Start a network on this machine, ready in a minute; needs Docker
	$(contract) start_network

e2e: client ## Play whole lives of trades on NETWORK, and show what they cost there; scripts/e2e has its variables
	@scripts/e2e

release: ## Build the commit twice, compare, and put the Wasm, the sources' archive and their checksums into target/release-files
	$(contract) release

clean: ## Remove what was built
	cargo clean
	rm -rf app/client app/build app/dist

info: ## Print the version and, once built, the Wasm's path, size, hash, metadata and functions
	$(contract) info

## Use the contract on a network N that the stellar CLI knows: local, testnet, mainnet or one you added
deploy-%: $(if $(value WASM_HASH),,build) ## Deploy the Wasm, or WASM_HASH of the network without a build, and save the contract's id
	$(contract) deploy

init-%: ## Set the admin and the token, and verify them
	$(contract) init

verify-%: build ## Compare a deployed contract with the local build, and say what that proves
	$(contract) verify

set-admin-%: ## Hand the admin's role over
	$(contract) act set_admin ADMIN_ADDRESS NEW_ADMIN_ADDRESS

register-prosumer-%: ## Register a household or business
	$(contract) act register_prosumer PROSUMER_ADDRESS PROSUMER_ADDRESS

register-meter-%: ## Certify a prosumer's meter and the power of its plant; METER_ADDRESS=none retires it
	$(contract) register_meter

create-agreement-%: ## Offer energy to a consumer
	$(contract) act create_agreement PROVIDER_ADDRESS PROVIDER_ADDRESS CONSUMER_ADDRESS ENERGY_AMOUNT_KWH PRICE_PER_KWH DELIVERY_DEADLINE

fund-agreement-%: ## Deposit an agreement's total; DEPOSIT is metered or reviewed
	$(contract) fund_agreement

cancel-agreement-%: ## End an open agreement
	$(contract) act cancel_agreement CANCELLER_ADDRESS AGREEMENT_ID CANCELLER_ADDRESS

claim-refund-%: ## Return what a deposit holds beyond what is owed; any SOURCE
	$(contract) act claim_refund SOURCE AGREEMENT_ID

deliver-energy-%: ## Record a delivery; where a meter is certified, SOURCE is the meter, which alone signs
	$(contract) deliver_energy

settle-payment-%: ## Pay for a delivery; where a provider settles without a deposit, SOURCE is the consumer
	$(contract) act settle_payment SETTLER_ADDRESS TRANSACTION_ID SETTLER_ADDRESS

settle-agreement-%: ## Pay for an agreement's deliveries up to and with THROUGH, with one transfer; SOURCE as above
	$(contract) act settle_agreement SETTLER_ADDRESS AGREEMENT_ID THROUGH SETTLER_ADDRESS

dispute-transaction-%: ## Dispute a delivery
	$(contract) act dispute_transaction DISPUTER_ADDRESS TRANSACTION_ID DISPUTER_ADDRESS

resolve-dispute-%: ## Rule how much is to be paid; where the parties compromise, SOURCE is the other one
	$(contract) act resolve_dispute RESOLVER_ADDRESS TRANSACTION_ID ENERGY_ACCEPTED_KWH RESOLVER_ADDRESS

close-dispute-%: ## Rule by default after 30 days; any SOURCE
	$(contract) act close_dispute SOURCE TRANSACTION_ID

get-config-%: ## Show the admin and the token
	$(contract) show get_config

get-prosumer-%: ## Show a prosumer
	$(contract) show get_prosumer PROSUMER_ADDRESS

get-prosumer-count-%: ## Show how many prosumers are registered
	$(contract) show get_prosumer_count

get-agreement-%: ## Show an agreement and its state; status 0 is active, 1 delivered, 2 settled, 3 cancelled, 4 expired
	$(contract) show get_agreement AGREEMENT_ID
	$(contract) show get_agreement_state AGREEMENT_ID

get-transaction-%: ## Show a transaction and its state; status 1 is delivered, 2 settled, 3 disputed
	$(contract) transaction

get-agreement-transactions-%: ## Show all transactions of an agreement and their states, the oldest first
	$(contract) show get_agreement_transactions AGREEMENT_ID
	$(contract) show get_transaction_states AGREEMENT_ID

get-agreements-%: ## Show a prosumer's newest agreements and their states, the newest first; BEFORE and LIMIT turn pages
	$(contract) show get_agreement_page PROSUMER_ADDRESS BEFORE LIMIT

get-history-%: ## Show all transactions of a prosumer, agreement by agreement, the oldest first
	$(contract) show get_transaction_history PROSUMER_ADDRESS

extend-%: ## Extend the life of the contract and of its code to the network's most, 180 days; any SOURCE pays
	$(contract) extend
