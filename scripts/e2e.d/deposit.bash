# shellcheck shell=bash
# A deposit for review, and one that a certified meter draws on.

new_contract sun
sun_contract=$CONTRACT_ID
step "  its code is the one that was built"
target verify
purse[contract]=0

step "alice offers bob 40 kWh at 0.15: agreement 1"
offer alice bob 40
same "the id" 1 "$answer"
event agreement_id=1 "provider=$provider" "consumer=$consumer" total_amount=60000000
agreement 1 status=0 total_amount=60000000 escrow_amount=0 deposit=0

step "bob cannot deposit for a meter: MeterNotCertified"
refused MeterNotCertified fund-agreement AGREEMENT_ID=1 CONSUMER_ADDRESS=bob DEPOSIT=metered
step "he signs a deposit of 6 for review"
prepare deposit bob fund_agreement --agreement_id 1 --consumer bob --deposit 1
step "  then the admin and alice certify her meter, which shows 120,500 kWh"
certify alice 120500
event "meter=$meter" "max_power_kw=$power" meter_start=120500
show get-prosumer PROSUMER_ADDRESS=alice -- "meter=$meter" "max_power_kw=$power" meter_start=120500 number=0
step "  his deposit is applied, and is for review" 1
row=fund_agreement apply AgreementFunded deposit
event escrow_amount=60000000 deposit=1
agreement 1 status=0 escrow_amount=60000000 deposit=1
moved 60000000 bob contract

step "the meter delivers 10 kWh: not metered, not paid; bob deposited for review" 3
deliver meter 1 10 120510
event transaction_id=1 agreement_id=1 payment_amount=15000000 metered=false
transaction 1 status=1 metered=false
agreement 1 status=0 energy_delivered_kwh=10 pending_amount=15000000 escrow_amount=60000000 deposit=1 transactions=1
unmoved

step "  alice alone cannot draw on the deposit: ReviewPeriodOpen"
refused ReviewPeriodOpen settle-payment TRANSACTION_ID=1 SETTLER_ADDRESS=alice
refused ReviewPeriodOpen settle-agreement AGREEMENT_ID=1 THROUGH=1 SETTLER_ADDRESS=alice

step "  it delivers 10 more" 3
deliver meter 1 10 120520
second=$(nth 2 1)
same "the id" "$second" "$answer"
step "  bob disputes them"
dispute "$second" bob
event "transaction_id=$second" "disputer=$consumer"
transaction "$second" status=3
agreement 1 pending_amount=30000000 disputed_amount=15000000

step "  nobody can settle them now: TransactionDisputed"
refused TransactionDisputed settle-payment "TRANSACTION_ID=$second" SETTLER_ADDRESS=bob

step "  the admin rules 5 of the 10 kWh: no tokens move"
call DisputeResolved resolve-dispute "TRANSACTION_ID=$second" ENERGY_ACCEPTED_KWH=5 RESOLVER_ADDRESS=admin
event energy_accepted_kwh=5 payment_amount=7500000 "resolver=$admin"
transaction "$second" status=1 ruled=true payment_amount=7500000
unmoved
step "  anyone returns 0.75 to bob"
refund 1
same "the refund" 7500000 "$answer"
event refund_amount=7500000 escrow_amount=52500000
moved 7500000 contract bob
step "  alice draws 0.75 at once"
draw "$second" alice
event "transaction_id=$second" payment_amount=7500000 "settler=$provider"
agreement 1 status=0 pending_amount=15000000 escrow_amount=45000000
moved 7500000 contract alice

step "alice offers 100 kWh: agreement 2"
offer alice bob 100
step "bob deposits 15, on which the meter draws"
fund 2 bob metered
event escrow_amount=150000000 deposit=2
moved 150000000 bob contract

step "the meter delivers 40 kWh, as the source account: alice is paid at once" 3
sell 2 40 120560
same "the id" 2 "$answer"
event transaction_id=2 payment_amount=60000000 "settler=$provider"
signed_by meter
transaction 2 status=2 metered=true payment_amount=60000000 'settled_at - .delivered_at=0'
agreement 2 status=0 energy_delivered_kwh=40 pending_amount=0 escrow_amount=90000000
moved 60000000 contract alice

step "  alice cannot deliver without it"
fails deliver-energy PROVIDER_ADDRESS=alice AGREEMENT_ID=2 ENERGY_DELIVERED_KWH=1 METER_READING=120561
grep -qF "Missing signing key for account $meter" "$home/stderr" || stop "the meter's signature should be missing"

step "  it reads 158,198,682, far beyond its power: InvalidMeterReading"
refused InvalidMeterReading deliver-energy SOURCE=meter PROVIDER_ADDRESS=alice AGREEMENT_ID=2 ENERGY_DELIVERED_KWH=30 METER_READING=158198682
show get-prosumer PROSUMER_ADDRESS=alice -- meter_reading=120560

step "  what is paid is paid: TransactionAlreadySettled"
refused TransactionAlreadySettled settle-payment TRANSACTION_ID=2 SETTLER_ADDRESS=alice
refused TransactionAlreadySettled dispute-transaction TRANSACTION_ID=2 DISPUTER_ADDRESS=bob

step "  the gateway sends 30 kWh twice: the first joins the day's transaction"
pause
for copy in first copy; do
    prepare "$copy" meter deliver_energy --agreement_id 2 --energy_delivered_kwh 30 --meter_reading 120590 --provider alice
done
row="deliver_energy, joins the day" apply "EnergyDelivered PaymentSettled" first
same "the id" 2 "$answer"
event transaction_id=2 payment_amount=45000000
transaction 2 status=2 energy_delivered_kwh=70 meter_reading=120590 payment_amount=105000000 'settled_at - .delivered_at=0'
moved 45000000 contract alice
step "    the second, simulated before, fails: InvalidMeterReading (15)"
rejected '"contract":15' copy
unmoved
step "    and simulated again it is refused"
refused InvalidMeterReading deliver-energy SOURCE=meter PROVIDER_ADDRESS=alice AGREEMENT_ID=2 ENERGY_DELIVERED_KWH=30 METER_READING=120590

step "  the other 30 kWh fill agreement 2: settled"
row="deliver_energy, joins the day" sell 2 30 120620
same "the id" 2 "$answer"
agreement 2 status=2 energy_delivered_kwh=100 pending_amount=0 escrow_amount=0 transactions=1
moved 45000000 contract alice

step "agreement 3 of 20 kWh: offered"
offer alice bob 20
step "  bob deposits 3"
fund 3 bob metered
moved 30000000 bob contract
step "  bob cannot cancel what he funded: AgreementFunded"
refused AgreementFunded cancel-agreement AGREEMENT_ID=3 CANCELLER_ADDRESS=bob
step "  alice cancels: no tokens move"
call AgreementCancelled cancel-agreement AGREEMENT_ID=3 CANCELLER_ADDRESS=alice
event agreement_id=3 "canceller=$provider"
agreement 3 status=3 escrow_amount=30000000
unmoved
step "  anyone returns 3 to bob"
refund 3
agreement 3 status=3 escrow_amount=0
moved 30000000 contract bob
step "  but only once: NothingToRefund"
refused NothingToRefund claim-refund SOURCE=meter AGREEMENT_ID=3

step "history: agreement by agreement, the oldest delivery first"
ids transaction_id "1 $second 2" get-history PROSUMER_ADDRESS=bob
step "the deliveries of agreement 1"
ids transaction_id "1 $second" get-agreement-transactions AGREEMENT_ID=1
same "their states" "false true" "$(jq -rs '.[1][].ruled' <<<"$answer" | xargs)"
step "pages of agreements: the newest, and the two before"
ids agreement.agreement_id 3 get-agreements PROSUMER_ADDRESS=alice LIMIT=1
ids agreement.agreement_id "2 1" get-agreements PROSUMER_ADDRESS=alice BEFORE=3
same "their escrow" "0 45000000" "$(jq -r '.[].state.escrow_amount' <<<"$answer" | xargs)"
step "two prosumers are registered"
target get-prosumer-count
same "the count" 2 "$answer"

step "a web page and a gateway trade 20 kWh with the typed client: examples/client.ts"
export RPC_URL=$rpc_url NETWORK_PASSPHRASE=$passphrase
PROVIDER_SECRET=$(stellar keys secret alice) CONSUMER_SECRET=$(stellar keys secret bob) METER_SECRET=$(stellar keys secret meter) \
    run node app/build/examples/client.js
client=$answer
happened "AgreementCreated AgreementFunded EnergyDelivered PaymentSettled AgreementCreated EnergyDelivered EnergyDelivered EnergyDelivered PaymentSettled PaymentSettled PaymentSettled"
moved 30000000 bob alice
finish
sed 's/^/    /' <<<"$client"
