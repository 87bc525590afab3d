// Whom a call pays or binds a person to, and whom of them the page knows from before.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Keypair, StrKey } from "@stellar/stellar-sdk";
import { AgreementStatus, Deposit, TransactionStatus, type AgreementEntry, type EnergyAgreement, type EnergyTransaction } from "../../client/src/index.js";
import { Chain } from "../../src/chain/chain.js";
import { findNetwork } from "../../src/chain/networks.js";
import type { Call } from "../../src/contract/calls.js";
import { TRANSACTION_STEP } from "../../src/contract/limits.js";
import { partnersIn } from "../../src/signing/partners.js";

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

interface Records {
  entries?: AgreementEntry[];
  transactions?: EnergyTransaction[];
  terms?: EnergyAgreement;
}

/** A chain with these agreements of mine, with all transactions in each of them, that counts how many agreements it was asked for. */
function chainWith({ entries = [], transactions = [], terms }: Records) {
  const network = findNetwork("testnet");
  assert.ok(network);
  const chain = new Chain({ contractId, network }, { recall: () => undefined, remember: () => undefined });
  const asked = { entries: 0 };
  chain.entries = async function* (prosumer) {
    assert.equal(prosumer, me);
    for (const entry of entries) {
      asked.entries++;
      yield await Promise.resolve(entry);
    }
  };
  chain.transactions = () => Promise.resolve(transactions);
  chain.terms = () => (terms ? Promise.resolve(terms) : Promise.reject(new Error("asked")));
  return Object.assign(chain, { asked });
}

const settle: Call = { method: "settle_agreement", args: { agreement_id: 1n, through: 1n, settler: me } };
const strangers = async (chain: Chain, paid = [neighbour]) => (await partnersIn(chain, me, settle, paid)).strangers;
const isStranger = async (records: Records) => (await strangers(chainWith(records))).length > 0;

test("whoever was offered something, was paid or got a deposit is known", async () => {
  assert.equal(await isStranger({}), true);
  assert.equal(await isStranger({ entries: [entry(1n, me, neighbour)] }), false);
  assert.equal(await isStranger({ entries: [entry(1n, neighbour, me, Deposit.Reviewed)] }), false);
  assert.equal(await isStranger({ entries: [entry(1n, neighbour, me)], transactions: [transaction(neighbour, me, TransactionStatus.Settled)] }), false);
});

test("what others do alone makes nobody known: an offer, a delivery, a ruling that nothing is paid", async () => {
  const entries = [entry(1n, neighbour, me), entry(2n, lookalike, me, Deposit.Reviewed)];
  assert.equal(await isStranger({ entries }), true);
  for (const status of [TransactionStatus.Delivered, TransactionStatus.Disputed])
    assert.equal(await isStranger({ entries, transactions: [transaction(neighbour, me, status)] }), true);
  assert.equal(await isStranger({ entries, transactions: [transaction(neighbour, me, TransactionStatus.Settled, 0n)] }), true);
});

test("no more agreements are read than it takes to know, and at most 500", async () => {
  const found = chainWith({ entries: [entry(3n, me, lookalike), entry(2n, me, neighbour), entry(1n, me, neighbour)] });
  assert.deepEqual([await strangers(found), found.asked.entries], [[], 2]);
  const many = chainWith({ entries: Array.from({ length: 501 }, (_, n) => entry(BigInt(n), me, n === 500 ? neighbour : lookalike)) });
  assert.deepEqual([await strangers(many), many.asked.entries], [[neighbour], 500]);
  const nobody = chainWith({ entries: [entry(1n, me, neighbour)] });
  assert.deepEqual([await strangers(nobody, [me, contractId]), nobody.asked.entries], [[], 0]);
});

test("whoever cannot be looked up is not known", async () => {
  const chain = chainWith({ entries: [entry(1n, neighbour, me)] });
  chain.transactions = () => Promise.reject(new Error("silent"));
  assert.deepEqual(await strangers(chain), [neighbour]);
});

test("of an agreement that cannot be read nothing is said, but that it cannot", async () => {
  const call: Call = { method: "fund_agreement", args: { agreement_id: 1n, consumer: me, deposit: Deposit.Reviewed } };
  await assert.rejects(partnersIn(chainWith({}), me, call, []), /asked/);
});

test("a call's partners are whom it pays, who is offered something, and the other party of the agreement that it is about", async () => {
  const chain = chainWith({ terms: entry(1n, neighbour, me).agreement });
  chain.entries = async function* () {};
  const partners = async (call: Call, paid: string[] = [], account: string | undefined = me) => (await partnersIn(chain, account, call, paid)).partners;
  const offer = { provider: me, consumer: neighbour, energy_amount_kwh: 1n, price_per_kwh: 1n, delivery_deadline: 1n };
  assert.deepEqual(await partners({ method: "create_agreement", args: offer }), [neighbour]);
  assert.deepEqual(await partners({ method: "fund_agreement", args: { agreement_id: 1n, consumer: me, deposit: Deposit.Reviewed } }, [contractId]), [neighbour]);
  assert.deepEqual(await partners(settle, [neighbour, me]), [neighbour]);
  assert.deepEqual(await partners({ method: "cancel_agreement", args: { agreement_id: 1n, canceller: me } }), []);
  const dispute = (resolver: string): Call => ({ method: "resolve_dispute", args: { transaction_id: 1n + TRANSACTION_STEP, energy_accepted_kwh: 1n, resolver } });
  assert.deepEqual(await partners(dispute(me)), [neighbour]);
  assert.deepEqual(await partners(dispute(lookalike), [], lookalike), []);
});
