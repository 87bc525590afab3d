# shellcheck shell=bash
# Paid directly, in XLM; and calls that are applied after something else happened.

step "code that the network does not have is not deployed"
fails deploy ADMIN_ADDRESS=admin "WASM_HASH=$(printf '%064d' 0)"
grep -q "^error: $network has no code with the hash 0*$" "$home/stderr" || stop "it should say so"

# Another community: the code is there already.
new_contract native "WASM_HASH=$(stellar contract info hash --id "$sun_contract" --network "$network")"

step "alice offers bob 100 kWh at 0.15 XLM: agreement 1"
offer alice bob 100
step "  she delivers 10 kWh, without a meter" 3
deliver alice 1 10 10
agreement 1 status=0 pending_amount=15000000 escrow_amount=0 deposit=0

# xlm WHO
xlm() { stellar token balance --id native --network "$network" --account "$1"; }

step "  bob pays 1.5 XLM directly"
alice_had=$(xlm alice) bob_had=$(xlm bob)
call PaymentSettled settle-payment TRANSACTION_ID=1 SETTLER_ADDRESS=bob
event payment_amount=15000000 "settler=$consumer"
transaction 1 status=2
agreement 1 pending_amount=0
same "alice's balance" $((alice_had + 15000000)) "$(xlm alice)"
same "bob's balance" $((bob_had - 15000000 - fee)) "$(xlm bob)"

step "three calls are simulated: bob disputes transaction 2 of agreement 1"
offer alice bob 20
deliver alice 1 10 20
estimate=
second=$(nth 2 1)
prepare dispute bob dispute_transaction --transaction_id "$second" --disputer bob
step "  he cancels agreement 2, and alice offers him agreement 3"
prepare cancel bob cancel_agreement --agreement_id 2 --canceller bob
prepare offer alice create_agreement --provider alice --consumer bob --energy_amount_kwh 1 --price_per_kwh 1 \
    --delivery_deadline $(($(now) + week))
step "  then alice delivers 10 kWh more, which makes agreement 1 longer"
deliver alice 1 10 30
estimate=
step "  the cancellation of agreement 2 is applied"
row=cancel_agreement apply AgreementCancelled cancel
agreement 2 status=3
step "  the offer is applied"
row=create_agreement apply AgreementCreated offer
same "the id" 3 "$answer"
step "  the dispute of agreement 1 is not: ResourceLimitExceeded"
rejected ResourceLimitExceeded dispute
transaction "$second" status=1
step "  simulated again, it is applied"
simulate dispute
row=dispute_transaction apply TransactionDisputed dispute
transaction "$second" status=3

step "with 1,000 bytes more than the simulation says, a call outlives a delivery"
third=$(nth 3 1)
prepare dispute bob dispute_transaction --transaction_id "$third" --disputer bob
room dispute
deliver alice 1 10 40
estimate=
apply TransactionDisputed dispute
transaction "$third" status=3
step "  bob rules it due"
call DisputeResolved resolve-dispute "TRANSACTION_ID=$third" ENERGY_ACCEPTED_KWH=10 RESOLVER_ADDRESS=bob

step "bob signs for transactions 1 to 4, of which 2 is disputed; alice is to send it"
fourth=$(nth 4 1)
prepare settle alice settle_agreement --agreement_id 1 --through "$fourth" --settler bob
authorize settle bob
signed=$(authorization settle)
step "  then she delivers 10 kWh more"
deliver alice 1 10 50
estimate=
step "  his payment is not applied as it was simulated: ResourceLimitExceeded"
bob_had=$(xlm bob)
rejected ResourceLimitExceeded settle
same "bob's balance" "$bob_had" "$(xlm bob)"
step "  simulated again, what he signed is applied, and pays 3 and 4 only"
simulate settle
same "what bob signed" "$signed" "$(authorization settle)"
apply "PaymentSettled PaymentSettled" settle
same "the amount" 30000000 "$answer"
event "transaction_id=$fourth" payment_amount=15000000 "settler=$consumer"
same "bob's balance" $((bob_had - 30000000)) "$(xlm bob)"
transaction "$third" status=2
transaction "$(nth 5 1)" status=1
agreement 1 energy_delivered_kwh=50 pending_amount=30000000
step "  it cannot be sent again: NothingToSettle"
refused NothingToSettle settle-agreement AGREEMENT_ID=1 "THROUGH=$fourth" SETTLER_ADDRESS=bob
step "  alice collects the fifth, with bob as the source account"
call PaymentSettled settle-agreement SOURCE=bob AGREEMENT_ID=1 "THROUGH=$(nth 5 1)" SETTLER_ADDRESS=alice
same "the amount" 15000000 "$answer"
event "settler=$provider"
agreement 1 pending_amount=15000000

step "dave offers bob 20 kWh, bob deposits 3 XLM, and dave's meter delivers 10"
call ProsumerRegistered register-prosumer PROSUMER_ADDRESS=dave
certify dave 0
offer dave bob 20
id=$answer
fund "$id" bob metered
pause
prepare delivery meter deliver_energy --agreement_id "$id" --energy_delivered_kwh 10 --meter_reading 10 --provider dave
room delivery
estimate=
step "  after the simulation his account grows"
run stellar tx new set-options --home-domain sun.example --source-account dave --network "$network"
step "    not applied as it was simulated: ResourceLimitExceeded"
rejected ResourceLimitExceeded bare
step "    applied with the room that deliver-energy adds: paid at once"
apply "EnergyDelivered PaymentSettled" delivery
event "transaction_id=$id" payment_amount=15000000
agreement "$id" escrow_amount=15000000

step "the admin hands its role to the issuer" 2
call AdminChanged set-admin ADMIN_ADDRESS=admin NEW_ADMIN_ADDRESS=issuer
show get-config -- "admin=$issuer"

step "anyone extends the life of contract and code to 180 days"
extended
