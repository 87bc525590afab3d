// Whom a call pays or binds a person to, and whom of them the page knows from before.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Keypair, StrKey } from "@stellar/stellar-sdk";
import { AgreementStatus, Deposit, TransactionStatus, type AgreementEntry, type EnergyTransaction } from "../../client/src/index.js";
import { Chain } from "../../src/chain/chain.js";
import { findNetwork } from "../../src/chain/networks.js";
import type { Call } from "../../src/contract/calls.js";
import { TRANSACTION_STEP } from "../../src/contract/limits.js";
import { keepMet } from "../../src/person/met.js";
import { partnersOf, strangersIn } from "../../src/signing/partners.js";

const [me, neighbour, lookalike] = [1, 2, 3].map((seed) => Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(seed)).publicKey()) as [string, string, string];
const contractId = StrKey.encodeContract(new Uint8Array(32).fill(1));

function entry(id: bigint, provider: string, consumer: string, deposit = Deposit.None): AgreementEntry {
  const terms = { energy_amount_kwh: 9n, price_per_kwh: 1n, total_amount: 9n, created_at: 1n, delivery_deadline: 9n, status: AgreementStatus.Active };
  const sums = { energy_delivered_kwh: 5n, pending_amount: 0n, disputed_amount: 0n, escrow_amount: 0n, transactions: 1n };
  return { agreement: { agreement_id: id, provider, consumer, ...terms }, state: { ...sums, deposit } };
}

function transaction(provider: string, consumer: string, status: TransactionStatus, payment_amount = 5n): EnergyTransaction {
  const of = { transaction_id: 1n, agreement_id: 1n, energy_delivered_kwh: 5n, meter_reading: 5n, delivered_at: 2n, settled_at: 3n };
  return { ...of, provider, consumer, payment_amount, status };
}

/** A chain that has read this, and can read nothing more. */
function chainWith(read: Record<string, unknown>): Chain {
  const network = findNetwork("testnet");
  assert.ok(network);
  const chain = new Chain({ contractId, network }, { recall: () => undefined, remember: () => undefined });
  for (const [key, value] of Object.entries(read)) chain.cache.keep(key, value, { about: [] });
  chain.rpc.call = () => Promise.reject(new Error("asked"));
  return chain;
}

const isStranger = async (read: Record<string, unknown>) => (await strangersIn(chainWith(read), me, [neighbour])).length > 0;

test("whoever was offered something, was paid or got a deposit is known", async () => {
  assert.equal(await isStranger({}), true);
  assert.equal(await isStranger({ "agreement 1": entry(1n, me, neighbour) }), false);
  assert.equal(await isStranger({ "terms of 1": entry(1n, me, neighbour).agreement }), false);
  assert.equal(await isStranger({ "agreement 1": entry(1n, neighbour, me, Deposit.Reviewed) }), false);
  const paid = transaction(neighbour, me, TransactionStatus.Settled);
  assert.equal(await isStranger({ "transactions of 1": [paid] }), false);
  assert.equal(await isStranger({ [`history of ${me}`]: [transaction(lookalike, me, TransactionStatus.Settled), paid] }), false);
});

test("what others do alone makes nobody known: an offer, a delivery, a ruling that nothing is paid, and what is between others", async () => {
  for (const status of [TransactionStatus.Delivered, TransactionStatus.Disputed])
    assert.equal(await isStranger({ "transactions of 1": [transaction(neighbour, me, status)] }), true);
  assert.equal(await isStranger({ "agreement 1": entry(1n, neighbour, me), "terms of 1": entry(1n, neighbour, me).agreement }), true);
  assert.equal(await isStranger({ "transactions of 1": [transaction(neighbour, me, TransactionStatus.Settled, 0n)] }), true);
  assert.equal(await isStranger({ "agreement 1": entry(1n, neighbour, lookalike, Deposit.Reviewed) }), true);
  assert.equal(await isStranger({ "transactions of 1": [transaction(neighbour, lookalike, TransactionStatus.Settled)] }), true);
});

test("what is only being read is not waited for", async () => {
  const chain = chainWith({});
  void chain.cache.read("agreement 1", () => new Promise(() => undefined), () => ({ about: [] }));
  assert.deepEqual(await strangersIn(chain, me, [neighbour]), [neighbour]);
});

test("with whom this browser has sent something is remembered", async () => {
  const stored = new Map<string, string>();
  const storage = { getItem: (key: string) => stored.get(key) ?? null, setItem: (key: string, text: string) => stored.set(key, text) };
  Object.defineProperty(globalThis, "localStorage", { value: storage, configurable: true });
  keepMet([neighbour]);
  keepMet([]);
  assert.deepEqual(await strangersIn(chainWith({}), me, [neighbour, lookalike]), [lookalike]);
  Reflect.deleteProperty(globalThis, "localStorage");
});

test("a call's partners are whom it pays, who is offered something, and the other party of the agreement that it is about", async () => {
  const chain = chainWith({ "terms of 1": entry(1n, neighbour, me).agreement });
  const partners = (call: Call, paid: string[] = [], account = me) => partnersOf(chain, account, call, paid);
  const offer = { provider: me, consumer: neighbour, energy_amount_kwh: 1n, price_per_kwh: 1n, delivery_deadline: 1n };
  assert.deepEqual(await partners({ method: "create_agreement", args: offer }), [neighbour]);
  assert.deepEqual(await partners({ method: "fund_agreement", args: { agreement_id: 1n, consumer: me, deposit: Deposit.Reviewed } }, [contractId]), [neighbour]);
  const settle: Call = { method: "settle_agreement", args: { agreement_id: 1n, through: 1n, settler: me } };
  assert.deepEqual(await partners(settle, [neighbour, me]), [neighbour]);
  assert.deepEqual(await partners({ method: "cancel_agreement", args: { agreement_id: 1n, canceller: me } }), []);
  const dispute = (resolver: string): Call => ({ method: "resolve_dispute", args: { transaction_id: 1n + TRANSACTION_STEP, energy_accepted_kwh: 1n, resolver } });
  assert.deepEqual(await partners(dispute(me)), [neighbour]);
  assert.deepEqual(await partners(dispute(lookalike), [], lookalike), []);
});
