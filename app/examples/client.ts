// Trades as a web page and a meter's gateway make them, with the typed client that `make client` generates. Keys stand in for wallets; the rest is what they do.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { Keypair, rpc } from "@stellar/stellar-sdk";
import { KeypairSigner, type AssembledTransaction, type Result } from "@stellar/stellar-sdk/contract";
import { AgreementStatus, Client, Deposit, SharingError, type ContractEvent } from "../client/src/index.js";

const variable = (name: string) => process.env[name] ?? assert.fail(`set ${name}`);
const network = { rpcUrl: variable("RPC_URL"), networkPassphrase: variable("NETWORK_PASSPHRASE"), allowHttp: true };
const contractId = variable("CONTRACT_ID");
const server = new rpc.Server(network.rpcUrl, { allowHttp: true });

/** What a wallet gives a page (SEP-43): an address, `signTransaction` and `signAuthEntry`. */
const wallet = (secret: string) => {
  const { address, signTransaction, signAuthEntry } = new KeypairSigner(Keypair.fromSecret(secret), network.networkPassphrase);
  return { publicKey: address, signTransaction, signAuthEntry };
};

/** Shows the call to the wallet, sends it, and returns its result; or throws the contract's error. */
const send = async <T>(call: AssembledTransaction<Result<T>>) => (await call.signAndSend()).result.unwrap();

/** The name of a contract's error. Its message is the line that tells a person what to do. */
const errorName = (call: AssembledTransaction<unknown>, error: object) => {
  const [number] = Object.entries(call.options.errorTypes ?? {}).find(([, known]) => known === error) ?? [];
  return number && SharingError[Number(number) as keyof typeof SharingError].message;
};

const alice = wallet(variable("PROVIDER_SECRET"));
const bob = wallet(variable("CONSUMER_SECRET"));
const meter = wallet(variable("METER_SECRET"));
const clientFor = (signer: typeof alice) => new Client({ ...network, ...signer, contractId });
const [forAlice, forBob, forMeter] = [clientFor(alice), clientFor(bob), clientFor(meter)];
const [provider, consumer] = [alice.publicKey, bob.publicKey];
const { sequence, closeTime } = await server.getLatestLedger();

// Alice offers 10 kWh within an hour, and Bob deposits the total: from this, what her certified meter records is paid at once.
const delivery_deadline = BigInt(closeTime) + 3600n;
const offer = { provider, consumer, energy_amount_kwh: 10n, price_per_kwh: 1_500_000n, delivery_deadline };
const funded = await send(await forAlice.create_agreement(offer));
await send(await forBob.fund_agreement({ agreement_id: funded, consumer, deposit: Deposit.Metered }));
console.log(`agreement ${funded}: 10 kWh, paid from a deposit`);

/** The meter's gateway records a delivery. It is the source account of the call, so nobody else signs. */
const deliver = async (agreement_id: bigint, energy_delivered_kwh: bigint) => {
  const { meter_reading, read_at } = (await forMeter.get_prosumer({ prosumer: provider })).result.unwrap();
  // A reading grows no faster than the plant exports: no more than one kWh in the second of the last one.
  while (BigInt((await server.getLatestLedger()).closeTime) <= read_at) await setTimeout(1000);
  return forMeter.deliver_energy({ agreement_id, energy_delivered_kwh, meter_reading: meter_reading + energy_delivered_kwh, provider });
};

// More than the agreement holds: the simulation answers with the contract's error, and nothing is sent.
const tooMuch = await deliver(funded, 11n);
const error = tooMuch.result.unwrapErr();
assert.equal(errorName(tooMuch, error), "InsufficientEnergy");
console.log(`11 kWh are refused: ${error.message}`);

const delivery = await deliver(funded, 10n);
assert.deepEqual(delivery.needsNonInvokerSigningBy(), []);
const transaction_id = await send(delivery);
assert.equal((await forAlice.get_agreement({ agreement_id: funded })).result.unwrap().status, AgreementStatus.Settled);
console.log(`transaction ${transaction_id}: delivered and paid, signed by the meter alone`);

// Without a deposit, Bob looks at what was delivered, and pays the bill with one signature.
const agreement_id = await send(await forAlice.create_agreement(offer));
for (const kwh of [4n, 3n, 3n]) await send(await deliver(agreement_id, kwh));
const bill = (await forBob.get_agreement_transactions({ agreement_id })).result.unwrap();
const through = bill.at(-1)?.transaction_id ?? assert.fail("there is no bill");
const paid = await send(await forBob.settle_agreement({ agreement_id, through, settler: consumer }));
assert.equal(paid, bill.reduce((sum, { payment_amount }) => sum + payment_amount, 0n));
console.log(`agreement ${agreement_id}: ${bill.length} deliveries paid with one signature, ${paid}`);

// Bob's agreements, two at a time, the newest first. Reading needs no wallet.
const reader = new Client({ ...network, contractId });
const agreements: bigint[] = [];
for (let before: bigint | null = null; ; before = agreements.at(-1) ?? null) {
  const page = (await reader.get_agreement_page({ prosumer: consumer, before, limit: 2 })).result.unwrap();
  if (page.length === 0) break;
  agreements.push(...page.map(({ agreement }) => agreement.agreement_id));
}
assert.deepEqual(agreements.slice(0, 2), [agreement_id, funded]);
console.log(`Bob's agreements, by pages: ${agreements.join(", ")}`);

// What an indexer reads: the contract's events, typed.
const { events } = await server.getEvents({ startLedger: sequence + 1, filters: [{ type: "contract", contractIds: [contractId] }] });
const typed = events.map(({ topic, value }) => reader.parseEvent(topic, value)).filter((event): event is ContractEvent => !!event);
const settled = typed.filter((event) => event.name === "PaymentSettled");
assert.deepEqual(settled.map((event) => event.data.transaction_id), [transaction_id, ...bill.map((delivery) => delivery.transaction_id)]);
console.log(`events: ${typed.map((event) => event.name).join(", ")}`);
