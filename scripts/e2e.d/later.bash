# shellcheck shell=bash
# What needs a clock that can be moved.

native_contract=$CONTRACT_ID

# back_to CONTRACT TOKEN
back_to() { CONTRACT_ID=$1 token=$2 since=(--start-ledger "$(($(rpc getLatestLedger sequence) + 1))"); }

later "$day"
back_to "$sun_contract" "$sun"
step "a day later alice alone draws 1.5 from bob's deposit for agreement 1"
draw 1 alice
estimate=
moved 15000000 contract alice
step "  she delivers 10 kWh more"
reading=$((reading + 10))
deliver alice 1 10 "$reading"
estimate=
third=$(nth 3 1)
step "  bob disputes them"
dispute "$third" bob
step "  the rest of the deposit is not free yet: NothingToRefund"
refused NothingToRefund claim-refund SOURCE=meter AGREEMENT_ID=1
later "$week"
step "  a week later the agreement is expired, and anyone returns 1.5 to bob"
agreement 1 status=4
refund 1
same "the refund" 15000000 "$answer"
moved 15000000 contract bob
step "  the dispute cannot be closed yet: ArbitrationPeriodOpen"
refused ArbitrationPeriodOpen close-dispute SOURCE=meter "TRANSACTION_ID=$third"

back_to "$native_contract" "$native"
step "a month: alice offers bob 30 kWh"
offer alice bob 30 $((31 * day))
id=$answer
step "  she delivers 1 kWh a day, 30 times"
reading=50
for ((k = 1; k <= 30; k++)); do
    later "$day"
    reading=$((reading + 1))
    deliver alice "$id" 1 "$reading"
done
estimate=
last=$(nth 30 "$id")
same "the last id" "$last" "$answer"
agreement "$id" status=1 transactions=30 pending_amount=45000000
step "  bob pays all with one signature"
alice_had=$(xlm alice) bob_had=$(xlm bob)
row="settle_agreement of 30" call "$(printf 'PaymentSettled %.0s' {1..30} | xargs)" settle-agreement "AGREEMENT_ID=$id" "THROUGH=$last" SETTLER_ADDRESS=bob
same "the amount" 45000000 "$answer"
event "transaction_id=$last" payment_amount=1500000
signed_by bob
same "alice's balance" $((alice_had + 45000000)) "$(xlm alice)"
same "bob's balance" $((bob_had - 45000000 - fee)) "$(xlm bob)"
agreement "$id" status=2 pending_amount=0

back_to "$sun_contract" "$sun"
step "anyone closes the dispute with bob, 30 days old: nothing is paid"
call DisputeResolved close-dispute SOURCE=meter "TRANSACTION_ID=$third"
event payment_amount=0 resolver=null
transaction "$third" status=2 payment_amount=0
unmoved
step "  anyone returns 1.5 to bob"
refund 1
agreement 1 status=4 pending_amount=0 escrow_amount=0
moved 15000000 contract bob

for who in "${people[@]}"; do
    id=${sold[$who]}
    step "the closing of the other dispute is simulated, then $who ${fault[$who]}"
    # Carol has to own nothing to drop her trustline.
    [ "$who" != carol ] || { run stellar tx new payment --destination issuer --asset "SUN:$issuer" --amount "${purse[carol]}" --source-account carol --network "$network"; }
    prepare "close $who" meter close_dispute --transaction_id "$(nth 2 "$id")"
    cannot_receive "$who"
    step "  the closing is applied"
    row=close_dispute apply DisputeResolved "close $who"
    event payment_amount=0 resolver=null
    agreement "$id" status=3 pending_amount=6000000 escrow_amount=21000000
    unmoved
    step "  the refund waits: PaymentFailed"
    refused PaymentFailed claim-refund SOURCE=meter "AGREEMENT_ID=$id"
    step "  when $who can receive again, anyone returns 1.5"
    can_receive "$who"
    refund "$id"
    estimate=
    moved 15000000 contract "$who"
    step "  alice draws 0.6 for what the admin ruled"
    draw "$id" alice
    agreement "$id" status=3 pending_amount=0 escrow_amount=0
    moved 6000000 contract alice
done

# ---- A delivery every hour, and midnight

back_to "$sun_contract" "$sun"
later $((day - $(now) % day + hour / 2))
step "half past midnight: frank's plant has 12 kW, and bob deposits 45 for 300 kWh"
certify frank 1000 12
offer frank bob 300
id=$answer
fund "$id" bob metered
estimate=
moved 450000000 bob contract
later $hour
step "  an hour later 14 kWh more are too many for it: InvalidMeterReading"
refused InvalidMeterReading deliver-energy SOURCE=meter PROVIDER_ADDRESS=frank "AGREEMENT_ID=$id" ENERGY_DELIVERED_KWH=14 METER_READING=1014
step "  the true reading is accepted: 12 kWh, paid at once"
sell "$id" 12 1012 frank
moved 18000000 contract frank
step "  10 kWh every hour until half past eleven at night: still one transaction"
reading=1012
for ((k = 1; k <= 22; k++)); do
    later $hour
    reading=$((reading + 10))
    sell "$id" 10 "$reading" frank
    same "the id" "$id" "$answer"
done
estimate=
transaction "$id" energy_delivered_kwh=232 "meter_reading=$reading" payment_amount=348000000
agreement "$id" transactions=1 escrow_amount=102000000
moved 330000000 contract frank
step "  2 kWh are simulated before midnight, and it strikes"
later $((hour / 3))
prepare delivery meter deliver_energy --agreement_id "$id" --energy_delivered_kwh 2 --meter_reading $((reading + 2)) --provider frank
room delivery
later $hour
step "    not applied as it was simulated: ResourceLimitExceeded"
rejected ResourceLimitExceeded bare
step "    applied with the room that deliver-energy adds: another transaction" 3
row="deliver_energy, paid at once" apply "EnergyDelivered PaymentSettled" delivery
same "the id" "$(nth 2 "$id")" "$answer"
agreement "$id" transactions=2
moved 3000000 contract frank

# ---- Quiet months

back_to "$native_contract" "$native"
left=$((($(lives_until contract) - $(rpc getLatestLedger sequence)) * 5))
later $((left - 29 * day))
step "with 29 days of life left, a call adds a day to contract and code"
until=("$(lives_until contract)" "$(lives_until code)")
call none register-prosumer PROSUMER_ADDRESS=bob
estimate=
same "ledgers of life added" "17280 17280" "$(($(lives_until contract) - until[0])) $(($(lives_until code) - until[1]))"
step "anyone extends both to 180 days again"
extended

# restored CALL: how many entries it brings back from the archive.
restored() { stellar tx decode <<<"${prepared[$1]}" | jq '.tx.tx.ext.v1.ext | objects | .v1.archived_soroban_entries | length'; }

back_to "$sun_contract" "$sun"
step "archived: a contract that nobody extended, its token, deposits, an agreement"
prepare refund meter claim_refund --agreement_id "$agreement"
same "entries from the archive" 4 "$(restored refund)"
step "  a call brings them back: the agreement's rest is returned"
refund "$agreement"
estimate=
moved 15000000 contract bob
agreement "$agreement" status=4 escrow_amount=0
step "two prosumers do, for an offer"
prepare offer alice create_agreement --provider alice --consumer bob --energy_amount_kwh 10 --price_per_kwh "$price" \
    --delivery_deadline $(($(now) + week))
same "entries from the archive" 2 "$(restored offer)"
apply AgreementCreated offer
agreement "$answer" status=0
step "and a contract's agreement, record and balance, for a delivery"
pause
prepare delivery meter deliver_energy --agreement_id "$contract_agreement" --energy_delivered_kwh 10 --meter_reading 30 --provider "$relay"
same "entries from the archive" 3 "$(restored delivery)"
sell "$contract_agreement" 10 30 "$relay"
estimate=
same "the id" "$(nth 3 "$contract_agreement")" "$answer"
moved 15000000 contract "$relay"
