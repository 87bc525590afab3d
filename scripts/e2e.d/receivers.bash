# shellcheck shell=bash
# Those who cannot receive: they stop nobody.

# ---- A provider without a trustline, whose meter delivers

step "frank, who has no trustline, registers"
call ProsumerRegistered register-prosumer PROSUMER_ADDRESS=frank
purse[frank]=nothing
step "  the same meter is certified for him"
certify frank 0
step "  he offers bob 40 kWh"
offer frank bob 40
agreement=2000001
same "the id" "$agreement" "$answer"
step "  bob deposits 6"
fund "$agreement" bob metered
moved 60000000 bob contract

step "  the meter delivers 10 kWh: recorded, and not paid" 3
deliver meter "$agreement" 10 10 frank
transaction "$agreement" status=1 metered=true
agreement "$agreement" pending_amount=15000000 escrow_amount=60000000
unmoved
step "    frank cannot draw on the deposit: PaymentFailed"
refused PaymentFailed settle-payment "TRANSACTION_ID=$agreement" SETTLER_ADDRESS=frank

# meter_delivers READING: 10 kWh, simulated.
meter_delivers() {
    pause
    prepare delivery meter deliver_energy --agreement_id "$agreement" --energy_delivered_kwh 10 --meter_reading "$1" --provider frank
    room delivery
}

step "  it delivers 10 more, and after the simulation frank makes a trustline"
meter_delivers 20
trust frank
purse[frank]=0
step "    not applied, with no room: its simulation had no trustline to write"
rejected exceeded_limit delivery
agreement "$agreement" energy_delivered_kwh=10
unmoved
step "    simulated again, it is paid at once"
simulate delivery
apply "EnergyDelivered PaymentSettled" delivery
same "the id" "$(nth 2 "$agreement")" "$answer"
moved 15000000 contract frank

step "  10 more, and after the simulation he drops the trustline"
meter_delivers 30
run stellar tx new payment --destination issuer --asset "SUN:$issuer" --amount 15000000 --source-account frank --network "$network"
trust frank --limit 0
purse[frank]=nothing
step "    not applied as it was simulated: InsufficientRefundableFee"
rejected InsufficientRefundableFee bare
agreement "$agreement" energy_delivered_kwh=20
unmoved
step "    applied with the room that deliver-energy adds: recorded, not paid"
apply EnergyDelivered delivery
third=$(nth 3 "$agreement")
same "the id" "$third" "$answer"
agreement "$agreement" pending_amount=30000000 escrow_amount=45000000 transactions=3
unmoved
step "    bob cannot dispute it: DepositTrustsMeter"
refused DepositTrustsMeter dispute-transaction "TRANSACTION_ID=$third" DISPUTER_ADDRESS=bob

step "  with a trustline, he draws both that are open with one call"
trust frank
purse[frank]=0
call "PaymentSettled PaymentSettled" settle-agreement "AGREEMENT_ID=$agreement" "THROUGH=$third" SETTLER_ADDRESS=frank
estimate=
same "the amount" 30000000 "$answer"
agreement "$agreement" status=0 pending_amount=0 escrow_amount=15000000
moved 30000000 contract frank

authorize_trustline() { run stellar contract invoke --id "$sun" --source-account issuer --network "$network" -- set_authorized --id "$1" --authorize "$2"; }

# ---- A provider that is a contract, and is frozen

# relay_signs ADMIN FUNCTION ARGUMENT...: a call that the relay, whose account agrees to everything, signs too.
relay_signs() {
    prepare call "$@"
    agree call
    simulate call
}

step "a contract registers as a provider, with a meter"
relay_signs admin register_prosumer --prosumer "$relay"
apply ProsumerRegistered call
relay_signs admin register_meter --prosumer "$relay" --meter "\"$meter\"" --meter_reading 0 --max_power_kw "$power"
apply MeterRegistered call
step "  it offers bob 50 kWh until in 200 days, and he deposits 7.5"
relay_signs bob create_agreement --provider "$relay" --consumer bob --energy_amount_kwh 50 --price_per_kwh "$price" \
    --delivery_deadline $(($(now) + 200 * day))
apply AgreementCreated call
contract_agreement=3000001
same "the id" "$contract_agreement" "$answer"
fund "$contract_agreement" bob metered
estimate=
moved 75000000 bob contract
step "  the meter delivers 10 kWh: the contract is paid at once" 1
sell "$contract_agreement" 10 10 "$relay"
purse[$relay]=0
moved 15000000 contract "$relay"
step "  10 more, and after the simulation the issuer freezes it"
pause
prepare delivery meter deliver_energy --agreement_id "$contract_agreement" --energy_delivered_kwh 10 --meter_reading 20 --provider "$relay"
room delivery
authorize_trustline "$relay" false
step "    applied: recorded, not paid"
apply EnergyDelivered delivery
same "the id" "$(nth 2 "$contract_agreement")" "$answer"
unmoved
step "    it is released, and bob pays from his deposit"
authorize_trustline "$relay" true
draw "$(nth 2 "$contract_agreement")" bob
estimate=
moved 15000000 contract "$relay"

# ---- Consumers who cannot receive: a ruling and a cancellation move no tokens

step "alice's meter is retired"
call MeterRegistered register-meter ADMIN_ADDRESS=admin PROSUMER_ADDRESS=alice METER_ADDRESS=none
estimate=
event meter=null max_power_kw=0 meter_start=120500 "meter_reading=$reading"

people=(carol dave erin)
declare -A fault=([carol]="drops her trustline" [dave]="fills his trustline" [erin]="is frozen")
declare -A sold=()
wealth() { [ "$1" = carol ] && echo 45000000 || echo 100000000; }

# cannot_receive WHO, and can_receive WHO
cannot_receive() {
    case $1 in
    carol) trust carol --limit 0 && purse[carol]=nothing ;;
    dave) trust dave --limit "${purse[dave]}" ;;
    erin) authorize_trustline erin false ;;
    esac
}
can_receive() {
    case $1 in
    carol) trust carol && purse[carol]=0 ;;
    dave) trust dave ;;
    erin) authorize_trustline erin true ;;
    esac
}

for who in "${people[@]}"; do
    step "$who deposits 4.5 for 30 kWh, alice delivers 10 twice, and $who disputes both"
    trust "$who"
    give "$(wealth "$who")" "$who"
    purse[$who]=$(wealth "$who")
    call ProsumerRegistered register-prosumer "PROSUMER_ADDRESS=$who"
    offer alice "$who" 30
    id=$answer sold[$who]=$answer
    fund "$id" "$who" reviewed
    moved 45000000 "$who" contract
    for k in 1 2; do
        reading=$((reading + 10))
        deliver alice "$id" 10 "$reading"
        dispute "$(nth $k "$id")" "$who"
    done
    estimate=
    step "  simulated: the admin rules 4 of the first 10, and alice cancels"
    prepare "rule $who" admin resolve_dispute --transaction_id "$id" --energy_accepted_kwh 4 --resolver admin
    prepare "cancel $who" alice cancel_agreement --agreement_id "$id" --canceller alice
    step "  now $who ${fault[$who]}"
    cannot_receive "$who"
    step "    the admin's ruling is applied"
    row=resolve_dispute apply DisputeResolved "rule $who"
    event "transaction_id=$id" energy_accepted_kwh=4 payment_amount=6000000
    step "    alice's cancellation is applied"
    row=cancel_agreement apply AgreementCancelled "cancel $who"
    agreement "$id" status=3 pending_amount=21000000 escrow_amount=45000000
    unmoved
    step "    the refund waits: PaymentFailed"
    refused PaymentFailed claim-refund SOURCE=meter "AGREEMENT_ID=$id"
    step "  when $who can receive again, anyone returns 2.4"
    can_receive "$who"
    refund "$id"
    estimate=
    same "the refund" 24000000 "$answer"
    agreement "$id" status=3 escrow_amount=21000000
    moved 24000000 contract "$who"
done
