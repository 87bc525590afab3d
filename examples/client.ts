// A trade as a web page makes it, with the typed client that `make client` generates. Keys stand in for wallets; the rest is what a page does.
import assert from "node:assert/strict";
import { Keypair, rpc } from "@stellar/stellar-sdk";
import { KeypairSigner, type AssembledTransaction, type Result } from "@stellar/stellar-sdk/contract";
import { AgreementStatus, Client, SharingError, type ContractEvent } from "../client/src/index.js";

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
  return SharingError[Number(number) as keyof typeof SharingError]?.message;
};

const [alice, bob, meter] = ["PROVIDER_SECRET", "CONSUMER_SECRET", "METER_SECRET"].map((name) => wallet(variable(name)));
const [forAlice, forBob, forMeter] = [alice, bob, meter].map((wallet) => new Client({ ...network, ...wallet, contractId }));
const [provider, consumer] = [alice.publicKey, bob.publicKey];
const { sequence: startLedger, closeTime } = await server.getLatestLedger();

// Alice offers 10 kWh within an hour, and Bob deposits the total.
const delivery_deadline = BigInt(closeTime) + 3600n;
const terms = { energy_amount_kwh: 10n, price_per_kwh: 1_500_000n, delivery_deadline };
const agreement_id = await send(await forAlice.create_agreement({ provider, consumer, ...terms }));
await send(await forBob.fund_agreement({ agreement_id, consumer }));
console.log(`agreement ${agreement_id}: 10 kWh, paid from a deposit`);

// Alice asks for more than the agreement holds: the simulation answers with the contract's error, and nothing is sent.
const { meter_reading: last } = (await forAlice.get_prosumer({ prosumer: provider })).result.unwrap();
const energy = { energy_delivered_kwh: 10n, meter_reading: last + 10n };
const tooMuch = await forAlice.deliver_energy({ agreement_id, ...energy, energy_delivered_kwh: 11n, provider });
const error = tooMuch.result.unwrapErr();
assert.equal(errorName(tooMuch, error), "InsufficientEnergy");
console.log(`11 kWh are refused: ${error.message}`);

// Alice prepares the delivery, the meter's gateway reads and signs it, and Alice's wallet signs and sends it. It travels as JSON.
const draft = await forAlice.deliver_energy({ agreement_id, ...energy, provider });
assert.deepEqual(draft.needsNonInvokerSigningBy(), [meter.publicKey]);
const atMeter = forMeter.fromJson.deliver_energy(draft.toJson());
await atMeter.signAuthEntries({ address: meter.publicKey });
const signed = forAlice.fromJson.deliver_energy(atMeter.toJson());
const transaction_id = await send(await signed.simulate());
console.log(`transaction ${transaction_id}: delivered, signed by Alice and by the meter`);

// It is metered, so Alice draws on the deposit alone.
await send(await forAlice.settle_payment({ transaction_id, settler: provider }));
const agreement = (await forAlice.get_agreement({ agreement_id })).result.unwrap();
assert.equal(agreement.status, AgreementStatus.Settled);
console.log(`agreement ${agreement_id}: ${AgreementStatus[agreement.status]}`);

// Bob's history, two at a time, the newest first. Reading needs no wallet.
const reader = new Client({ ...network, contractId });
const history: bigint[] = [];
for (let before: bigint | null = null; ; before = history[history.length - 1]) {
  const page = (await reader.get_transaction_page({ prosumer: consumer, before, limit: 2 })).result.unwrap();
  if (page.length === 0) break;
  history.push(...page.map((transaction) => transaction.transaction_id));
}
assert.equal(history[0], transaction_id);
console.log(`Bob's history, by pages: ${history.join(", ")}`);

// What an indexer reads: the contract's events, typed.
const { events } = await server.getEvents({ startLedger, filters: [{ type: "contract", contractIds: [contractId] }] });
const typed = events.map(({ topic, value }) => reader.parseEvent(topic, value)).filter((event): event is ContractEvent => !!event);
const paid = typed.find((event) => event.name === "PaymentSettled" && event.data.transaction_id === transaction_id);
assert.deepEqual(paid?.name === "PaymentSettled" && paid.data.payment_amount, 15_000_000n);
console.log(`events: ${typed.slice(-4).map((event) => event.name).join(", ")}`);
