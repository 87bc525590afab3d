# shellcheck shell=bash
# The network, its people, and the commands of docs/network.md.

for tool in stellar jq curl node; do type -P "$tool" >/dev/null || stop "error: e2e needs $tool"; done
if [ "${RPC_URL-}" ]; then
    [ "$passphrase" ] || stop "error: RPC_URL needs NETWORK_PASSPHRASE"
    stellar network add "$network" --rpc-url "$RPC_URL" --network-passphrase "$passphrase"
fi
mkdir -p "$STELLAR_CONFIG_HOME"
cp -r "$STELLAR_CONFIG_HOME" "$home/networks"
rpc_url=$(stellar network ls --long | awk -v "name=$network" '/^Name: / { on = $2 == name } on && /^RPC url: / { print $3; exit }')
passphrase=$(stellar network ls --long | awk -v "name=$network" '/^Name: / { on = $2 == name } on && sub(/^Network passphrase: /, "") { print; exit }')
[ "$rpc_url" ] || stop "error: the stellar CLI does not know the network $network by itself: give RPC_URL and NETWORK_PASSPHRASE"
rpc getLatestLedger sequence >/dev/null 2>&1 || stop "error: there is no network at $rpc_url (make network-local starts a local one)"

# What a meter delivers on one day is one transaction. The clock of a public network is not ours.
until_midnight=$((day - $(now) % day))
if ((until_midnight < hour)); then
    [ "${ADVANCE_URL-}" ] || stop "error: it is nearly midnight (UTC), and a day must not end meanwhile: start in an hour"
    later "$until_midnight"
fi

# Stroops for a KB of rent, as the network computes them from the size of its state; and as if a new entry lived as long as on mainnet.
rent_rate=$(stellar network settings --internal --network "$network" 2>"$home/stderr" | jq '
    [.updated_entry[] | to_entries[]] | from_entries
    | (.live_soroban_state_size_window | map(tonumber) | add / length) as $size
    | .state_archival as $life
    | .contract_ledger_cost_v0 | map_values(tonumber)
    | .rent_fee1_kb_soroban_state_size_low as $low | .rent_fee1_kb_soroban_state_size_high as $high | .soroban_state_target_size_bytes as $target
    | if $size < $target then $low + ($high - $low) * $size / $target
      else $high + ($high - $low) * ($size - $target) / $target * .soroban_state_rent_fee_growth_factor end
    | [., 1000] | max * $life.min_persistent_ttl / 2073600 * 1215 / ($life.persistent_rent_rate_denominator | tonumber)') || stop "error: the network does not tell its settings"

printf '  %-76s %13s %11s %11s\n' "What happens on $network" "stroops paid" estimate difference

# trust WHO [OPTION...]: a trustline for the issuer's asset.
trust() { run stellar tx new change-trust --line "SUN:$issuer" --source-account "$1" --network "$network" "${@:2}"; }

# give AMOUNT WHO: from the issuer.
give() { run stellar tx new payment --destination "$2" --asset "SUN:$issuer" --amount "$1" --source-account issuer --network "$network"; }

step "the friendbot funds seven people, a meter and an issuer"
for name in admin alice bob carol dave erin frank meter issuer; do
    run stellar keys generate "$name"
    if [ "${FRIENDBOT-}" ]; then
        run curl -fsS -o "$home/stdout" "$FRIENDBOT?addr=$(stellar keys public-key "$name")"
    else
        run stellar keys fund "$name" --network "$network"
    fi
done
provider=$(stellar keys public-key alice)
consumer=$(stellar keys public-key bob)
admin=$(stellar keys public-key admin)
meter=$(stellar keys public-key meter)
issuer=$(stellar keys public-key issuer)

step "the issuer's asset SUN, which it can freeze: trustlines, 1,000 for bob, its contract"
run stellar tx new set-options --set-revocable --source-account issuer --network "$network"
for name in alice bob; do trust "$name"; done
give 10000000000 bob
purse=([alice]=0 [bob]=10000000000)
run stellar contract asset deploy --asset "SUN:$issuer" --alias sun --source-account issuer --network "$network"
sun=$answer
run stellar contract id asset --asset native --network "$network"
native=$answer
# The native asset's contract is there already on a public network.
stellar contract asset deploy --asset native --source-account issuer --network "$network" >"$home/stdout" 2>&1 || :

step "the commands of docs/network.md, one after the other"
commands=$(awk '/^```/ { code = !code; next } code && !/^make setup/' docs/network.md |
    sed "s/testnet/$network/g; s/\$(date +%s)/$(now)/")
# By the network's clock, a ledger after each other, as by hand, and with a configuration of their own, since they make the same identities.
cp -r "$home/networks" "$home/page"
next_ledger="sleep 5"
[ ! "${ADVANCE_URL-}" ] || next_ledger="curl -fsS -o $home/stdout -X POST '${ADVANCE_URL}5'"
run env "STELLAR_CONFIG_HOME=$home/page" bash -euc "make() { $next_ledger; command make --silent -o build \"\$@\"; }
    $commands"
same "what they print last" "the contract lives 180 days the code lives 180 days" "$(tail -n 2 <<<"$answer" | xargs)"

# new_contract TOKEN [VARIABLE=VALUE]
new_contract() {
    step "a contract that pays in $1: deployed"
    since=(--start-ledger "$(rpc getLatestLedger sequence)")
    target deploy ADMIN_ADDRESS=admin "${@:2}"
    export CONTRACT_ID=$answer
    happened none
    step "  initialised, and verified"
    row=initialize call Initialized init ADMIN_ADDRESS=admin "TOKEN_CONTRACT_ADDRESS=$1"
    token=${!1}
    event "admin=$admin" "token_contract=$token"
    show get-config -- "admin=$admin" "token_contract=$token"
    for name in alice bob; do
        step "  $name registers" "$([ "$name" = bob ] || echo 1)"
        call ProsumerRegistered register-prosumer "PROSUMER_ADDRESS=$name"
        event "prosumer=$(stellar keys public-key "$name")"
    done
}

price=1500000
week=604800
# Of the plants, kW: 277 kWh a second, so that no step has to wait longer.
power=1000000

# offer PROVIDER CONSUMER KWH [SECONDS]: in a week, if not given.
offer() {
    call AgreementCreated create-agreement "PROVIDER_ADDRESS=$1" "CONSUMER_ADDRESS=$2" "ENERGY_AMOUNT_KWH=$3" PRICE_PER_KWH="$price" \
        "DELIVERY_DEADLINE=$(($(now) + ${4:-week}))"
}

# certify PROSUMER READING [KW]: the meter.
certify() {
    call MeterRegistered register-meter ADMIN_ADDRESS=admin "PROSUMER_ADDRESS=$1" METER_ADDRESS=meter "METER_READING=$2" "MAX_POWER_KW=${3:-$power}"
}

# fund AGREEMENT CONSUMER KIND
fund() { call AgreementFunded fund-agreement "AGREEMENT_ID=$1" "CONSUMER_ADDRESS=$2" "DEPOSIT=$3"; }

# deliver SOURCE AGREEMENT KWH READING [PROVIDER]: recorded; by alice, if not given.
deliver() {
    [ "$1" != meter ] || pause
    call "${events:-EnergyDelivered}" deliver-energy "SOURCE=$1" "PROVIDER_ADDRESS=${5:-alice}" "AGREEMENT_ID=$2" "ENERGY_DELIVERED_KWH=$3" "METER_READING=$4"
}

# sell AGREEMENT KWH READING [PROVIDER]: what the meter records is paid at once.
sell() { row=${row:-deliver_energy, paid at once} events="EnergyDelivered PaymentSettled" deliver meter "$@"; }

# draw TRANSACTION SETTLER: from the deposit.
draw() { row="settle_payment, from a deposit" call PaymentSettled settle-payment "TRANSACTION_ID=$1" "SETTLER_ADDRESS=$2"; }

# extended: contract and code live as long as the network lets them, by what is said and by the ledger.
extended() {
    local what left most
    target extend SOURCE=meter
    same "what it says" "the contract lives 180 days the code lives 180 days" "$(xargs <<<"$answer")"
    most=$(stellar --quiet network settings --network "$network" | jq '.updated_entry[].state_archival.max_entry_ttl // empty')
    for what in contract code; do
        left=$(($(lives_until "$what") - $(rpc getLatestLedger sequence)))
        # The ledgers of a minute may have closed since.
        ((most - 12 < left && left < most)) || stop "the $what should live for nearly $most ledgers" "but does for $left"
    done
}

dispute() { call TransactionDisputed dispute-transaction "TRANSACTION_ID=$1" "DISPUTER_ADDRESS=$2"; }
refund() { call EscrowRefunded claim-refund SOURCE=meter "AGREEMENT_ID=$1"; }
