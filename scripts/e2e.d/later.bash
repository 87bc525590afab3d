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

# 38 days are over since the contract was extended.
later $(((151 - 38) * day))
back_to "$native_contract" "$native"
step "with 29 days of life left, a call adds a day to contract and code"
until=("$(lives_until contract)" "$(lives_until code)")
call none register-prosumer PROSUMER_ADDRESS=bob
estimate=
same "ledgers of life added" "17280 17280" "$(($(lives_until contract) - until[0])) $(($(lives_until code) - until[1]))"
step "anyone extends both to 180 days again"
extended
