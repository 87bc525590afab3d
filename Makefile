# Build, test and use the contract: `make` prints how.

# What users give is data: make does not expand it, and the shell sees it in quotes only.
$(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $v)),$(eval override $v := $$(value $v))$(eval export $v)))
# The target's name decides the network, and CONTRACT_ID the contract.
unexport STELLAR_RPC_URL STELLAR_NETWORK_PASSPHRASE STELLAR_CONTRACT_ID

NAME := peer-to-peer-energy-sharing
WASM = $${CARGO_TARGET_DIR:-$$PWD/target}/wasm32v1-none/release/$(subst -,_,$(NAME)).wasm

# Variables: examples and meanings, printed by `make` and where one is missing.
#   SOURCE=alice                               signs as the source account; if not given, the address that acts does
#   CONTRACT_ID=energy                         an id or alias; if not given, what deploy-N saved
#   ADMIN_ADDRESS=admin                        certifies meters and rules disputes
#   NEW_ADMIN_ADDRESS=carol                    takes that role over
#   TOKEN_CONTRACT_ADDRESS=native              the token of all payments; native is XLM
#   PROSUMER_ADDRESS=alice                     a household or business
#   METER_ADDRESS=meter                        alone signs its prosumer's deliveries; none retires it
#   METER_READING=120500                       the meter's export register, whole kWh
#   PROVIDER_ADDRESS=alice                     sells the energy
#   CONSUMER_ADDRESS=bob                       buys the energy
#   ENERGY_AMOUNT_KWH=100                      whole kWh
#   PRICE_PER_KWH=1500000                      in the token's smallest unit; 1 XLM or USDC is 10000000
#   DELIVERY_DEADLINE=$(($(date +%s)+604800))  in Unix seconds; this is in a week
#   AGREEMENT_ID=1                             printed by create-agreement-N
#   CANCELLER_ADDRESS=alice                    a party of the agreement
#   ENERGY_DELIVERED_KWH=40                    whole kWh
#   TRANSACTION_ID=1                           printed by deliver-energy-N
#   THROUGH=20000000000001                     the last transaction looked at; newer ones are not settled
#   SETTLER_ADDRESS=bob                        a party of the transaction
#   DISPUTER_ADDRESS=bob                       a party of the transaction
#   RESOLVER_ADDRESS=admin                     the admin, or a party that gives in
#   ENERGY_ACCEPTED_KWH=30                     how much is to be paid, whole kWh
#   BEFORE=7                                   a page of agreements older than this one; if not given, the newest
#   LIMIT=10                                   agreements in a page, at most 40
#   NETWORK=local                              where e2e plays, a network with a friendbot; if not given, local
CONTRACT_ID ?= $(NAME)
BEFORE ?= none
LIMIT ?= 10
export CONTRACT_ID BEFORE LIMIT

define functions
set -eu

fail() { printf '%s\n' "$@" >&2; exit 1; }

# need VARIABLE...: an error that names the missing ones and shows an example.
need() {
    missing= example=
    for var; do
        case "$example " in *" $var="*) continue ;; esac
        example="$example $(awk -F '   *' -v "var=$var=" '$1 == "#" && index($2, var) == 1 { print $2 }' Makefile)"
        eval "[ \"\${$var-}\" ]" || missing="$missing $var"
    done
    [ ! "$missing" ] || fail "error: missing$missing" "example: make $target$example"
}

# invoke SEND FUNCTION VARIABLE...: send it, yes or no. An argument is named like its variable, without _ADDRESS; none is left out.
invoke() {
    send=$1 function=$2
    shift 2
    need "$@"
    for var; do
        shift
        eval "value=\$$var"
        [ "$value" = none ] || set -- "$@" "--$(echo "${var%_ADDRESS}" | tr A-Z a-z)=$value"
    done
    set -- --id "$CONTRACT_ID" --network "$network" --source-account "$SOURCE" -- "$function" "$@"
    stellar contract invoke --send "$send" "$@" || explain "$@"
}

# explain ARGUMENT...: the name and meaning of the error that this call fails with, from the contract's own interface.
explain() {
    code=$(stellar contract invoke --send no "$@" 2>&1 | sed -n 's/.*HostError: Error(Contract, #\([0-9]*\)).*/\1/p')
    [ ! "$code" ] || stellar --quiet contract info interface --id "$CONTRACT_ID" --network "$network" --output json-formatted |
        awk -F '"' -v "code=$code" '
            $2 ~ /^udt_/ { errors = $2 == "udt_error_enum_v0" }
            $2 == "doc" { doc = $4 }
            $2 == "name" { name = $4 }
            errors && $2 == "value" && substr($3, 2) + 0 == code { print "error: " name " (" code "): " doc }' >&2
    exit 1
}

# signer ADDRESS VARIABLE...: SOURCE is the address, unless it is given; and the variables are needed.
signer() {
    [ ! "${SOURCE-}" ] || { shift; set -- SOURCE "$@"; }
    need "$@"
    eval "SOURCE=\$$1"
}

# act FUNCTION ADDRESS VARIABLE...: a call signed by SOURCE, or else by the address.
act() {
    function=$1
    shift
    signer "$@"
    shift
    invoke yes "$function" "$@"
}

# show FUNCTION VARIABLE...: a simulation, which takes any source; this one is the key 0.
show() {
    SOURCE=GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF
    invoke no "$@"
}

# extend: contract and code, each by a call of its own: the one with the contract's id leaves the code as it is.
extend() {
    need SOURCE
    hash=$(stellar contract info hash --id "$CONTRACT_ID" --network "$network")
    most=$(stellar --quiet network settings --network "$network" | sed -n 's/.*"max_entry_ttl":\([0-9]*\).*/\1/p')
    prolong contract --id "$CONTRACT_ID"
    prolong code --wasm-hash "$hash"
}

# prolong WHAT OPTION...: it lives for the most ledgers, of which this is the first, and says how many days that is.
prolong() {
    what=$1
    shift
    last=$(stellar contract extend "$@" --ledgers-to-extend $((most - 1)) --ttl-ledger-only --network "$network" --source-account "$SOURCE")
    latest=$(stellar ledger latest --network "$network" --output json | sed -n 's/.*"sequence":\([0-9]*\).*/\1/p')
    [ "$last" -ge "$latest" ] || fail "error: the $what is archived: the next call brings it back, and pays for that; extend it then"
    echo "the $what lives $((((last - latest) * 5 + 43200) / 86400)) days"
}

# address NAME: the address that the CLI takes it for.
address() {
    case $1 in
    C???????????????????????????????????????????????????????) echo "$1" ;;
    *) stellar contract alias show --network "$network" "$1" 2>/dev/null || stellar keys public-key "$1" ;;
    esac
}

# verify: does the contract answer with the settings that were asked for?
verify() {
    config=$(show get_config)
    echo "$config"
    asked="{\"admin\":\"$(address "$ADMIN_ADDRESS")\",\"token_contract\":\"$(address "$TOKEN_CONTRACT_ADDRESS")\"}"
    [ "$config" = "$asked" ] || fail "error: this is not what was asked for, do not use this contract:" "$asked"
}
endef
export FUNCTIONS := $(value functions)

cli = command -v stellar >/dev/null || { echo "error: there is no stellar CLI here: make setup installs it" >&2; exit 1; };
contract = @$(cli) eval "$$FUNCTIONS"; target='$@' network='$*';

.PHONY: help setup build soroban-build optimize test test-verbose test-wasm costs mutants format check clippy check-all demo client e2e network-local clean info

help:
	@awk 'BEGIN { FS = ":.*## " } \
		/^## / { print "\n" substr($$0, 4) } \
		/^[a-z0-9-]+%?:.*## / { sub(/%/, "N", $$1); printf "  %-28s %s\n", $$1, $$2 } \
		/^#   [A-Z_]+=/ { variables = variables "\n" substr($$0, 3) } \
		END { print "\nVariables. Who signs is given by an identity\x27s name; other addresses may be G... or C... as well" variables }' Makefile

## Develop
setup: ## Install what is missing: the Wasm target and the stellar CLI (on Debian it needs libdbus-1-dev libudev-dev pkg-config)
	rustup target list --installed | grep -qx wasm32v1-none || rustup target add wasm32v1-none
	command -v stellar || cargo install --locked stellar-cli

build: ## Build the optimised Wasm, which names the commit that it is made from
	@$(cli) stellar contract build --locked --meta "Commit=$$(git describe --always --dirty --abbrev=40 --exclude '*' 2>/dev/null || echo unknown)"

soroban-build: build ## The same
optimize: build ## The same: a build optimises, and prints the size before and after

test: ## Run the tests
	cargo test

test-verbose: ## Run the tests and show what they print
	cargo test -- --nocapture

test-wasm: build ## Run the tests against the built Wasm, and hold its costs to their goals
	CONTRACT_WASM="$(WASM)" cargo test -- --include-ignored

costs: build ## Measure what each call costs on the built Wasm, and write it into docs/costs.md
	CONTRACT_WASM="$(WASM)" WRITE_COSTS=1 cargo test --quiet the_page_shows_the_costs -- --include-ignored --nocapture

mutants: ## Change the contract in one place at a time: does a test notice? (needs cargo install --locked cargo-mutants, and an hour)
	CARGO_TARGET_DIR="$${CARGO_TARGET_DIR:-$$PWD/target}/mutants" cargo mutants --output target

format: ## Format the code
	cargo fmt

check: ## Type-check everything
	cargo check --all-targets

clippy: ## Lint; a warning is an error
	cargo clippy --all-targets -- -D warnings

check-all: ## Everything that must pass: format, lints, documentation, tests; changes nothing
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps
	cargo test

demo: ## Play a whole life cycle on an embedded ledger
	cargo run --quiet --example demo

client: build node_modules/.package-lock.json ## Generate the typed TypeScript client into client/, and compile examples/client.ts with it
	npx --no @stellar/stellar-sdk generate --wasm "$(WASM)" --output-dir client --contract-name $(NAME) --overwrite >/dev/null
	@# The generator uses the errors as a type, but declares only their values.
	@echo "$$(sed -n 's/^export const \([A-Za-z]*Error\) = .*/export type \1 = (typeof \1)[keyof typeof \1];/p' client/src/types.ts)" >>client/src/types.ts
	npx --no tsc

node_modules/.package-lock.json: package-lock.json
	npm ci

network-local: ## Start a network on this machine, ready in a minute; needs Docker
	@$(cli) stellar container start local

e2e: client ## Play whole lives of trades on NETWORK, and show what they cost there; scripts/e2e has its variables
	@$(cli) scripts/e2e

clean: ## Remove what was built
	cargo clean
	rm -rf client

info: ## Print the version and, once built, the Wasm's path, size, hash and functions
	@echo "$(NAME) $$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)"
	@[ -f "$(WASM)" ] || { echo "not built yet: make build"; exit; }; $(cli) \
	echo "$(WASM)"; \
	echo "$$(($$(wc -c <"$(WASM)"))) bytes"; \
	echo "sha256 $$(stellar contract info hash --wasm "$(WASM)")"; \
	stellar --quiet contract info interface --wasm "$(WASM)" | sed -n 's/^ *fn \([a-z_]*\)(.*/  \1/p' | sort

## Use the contract on a network N that the stellar CLI knows: local, testnet, mainnet or one you added
deploy-%: build ## Deploy the Wasm and save the contract's id
	$(contract) signer ADMIN_ADDRESS; \
	stellar contract deploy --wasm "$(WASM)" --alias $(NAME) --network "$$network" --source-account "$$SOURCE"

init-%: ## Set the admin and the token, and verify them
	$(contract) act initialize ADMIN_ADDRESS ADMIN_ADDRESS TOKEN_CONTRACT_ADDRESS; verify

set-admin-%: ## Hand the admin's role over
	$(contract) act set_admin ADMIN_ADDRESS NEW_ADMIN_ADDRESS

register-prosumer-%: ## Register a household or business
	$(contract) act register_prosumer PROSUMER_ADDRESS PROSUMER_ADDRESS

register-meter-%: ## Certify a prosumer's meter; METER_ADDRESS=none retires it
	$(contract) case $${METER_ADDRESS-} in none) METER_READING=0 ;; ?*) METER_ADDRESS="\"$$METER_ADDRESS\"" ;; esac; \
	act register_meter ADMIN_ADDRESS PROSUMER_ADDRESS METER_ADDRESS METER_READING

create-agreement-%: ## Offer energy to a consumer
	$(contract) act create_agreement PROVIDER_ADDRESS PROVIDER_ADDRESS CONSUMER_ADDRESS ENERGY_AMOUNT_KWH PRICE_PER_KWH DELIVERY_DEADLINE

fund-agreement-%: ## Deposit an agreement's total
	$(contract) act fund_agreement CONSUMER_ADDRESS AGREEMENT_ID CONSUMER_ADDRESS

cancel-agreement-%: ## End an open agreement
	$(contract) act cancel_agreement CANCELLER_ADDRESS AGREEMENT_ID CANCELLER_ADDRESS

claim-refund-%: ## Return what a deposit holds beyond what is owed; any SOURCE
	$(contract) act claim_refund SOURCE AGREEMENT_ID

deliver-energy-%: ## Record a delivery; where a meter is certified, SOURCE is the meter, which alone signs
	$(contract) act deliver_energy PROVIDER_ADDRESS PROVIDER_ADDRESS AGREEMENT_ID ENERGY_DELIVERED_KWH METER_READING

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

get-agreement-%: ## Show an agreement and its state; status 0 is active, 1 delivered, 2 settled, 3 cancelled, 4 expired
	$(contract) show get_agreement AGREEMENT_ID; show get_agreement_state AGREEMENT_ID

get-transaction-%: ## Show a transaction and its state; status 1 is delivered, 2 settled, 3 disputed
	$(contract) show get_transaction TRANSACTION_ID; show get_transaction_state TRANSACTION_ID

get-agreement-transactions-%: ## Show all transactions of an agreement, the oldest first
	$(contract) show get_agreement_transactions AGREEMENT_ID

get-agreements-%: ## Show a prosumer's newest agreements, the newest first; BEFORE and LIMIT turn pages
	$(contract) show get_agreement_page PROSUMER_ADDRESS BEFORE LIMIT

get-history-%: ## Show all transactions of a prosumer, agreement by agreement, the oldest first
	$(contract) show get_transaction_history PROSUMER_ADDRESS

extend-%: ## Extend the life of the contract and of its code to the network's most, 180 days; any SOURCE pays
	$(contract) extend
