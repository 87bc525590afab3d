// What waits for a person, and in which order.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import {
  AgreementStatus,
  Deposit,
  TransactionStatus,
  type AgreementEntry,
  type AgreementState,
  type EnergyAgreement,
  type TransactionState,
} from "../../client/src/index.js";
import type { Delivery } from "../../src/contract/rules.js";
import { needsDeliveries, tasksOf } from "../../src/person/todo.js";

const NOW = 1_000_000n;
const [buyer, seller] = ["BUYER", "SELLER"];

function entry(id: bigint, state: Partial<AgreementState> = {}, agreement: Partial<EnergyAgreement> = {}): AgreementEntry {
  return {
    agreement: {
      agreement_id: id,
      provider: seller,
      consumer: buyer,
      energy_amount_kwh: 40n,
      price_per_kwh: 10n,
      total_amount: 400n,
      created_at: NOW - 100n,
      delivery_deadline: NOW + 500n,
      status: AgreementStatus.Active,
      ...agreement,
    },
    state: { deposit: Deposit.None, disputed_amount: 0n, energy_delivered_kwh: 0n, escrow_amount: 0n, pending_amount: 0n, transactions: 0n, ...state },
  };
}

function delivery(n: bigint, state: Partial<TransactionState> = {}, status = TransactionStatus.Delivered): Delivery {
  return {
    transaction: {
      transaction_id: n,
      agreement_id: 1n,
      provider: seller,
      consumer: buyer,
      energy_delivered_kwh: 5n,
      meter_reading: n,
      payment_amount: 50n,
      delivered_at: NOW - 10n,
      settled_at: null,
      status,
    },
    state: { disputed_at: null, metered: false, provider_settles_from: NOW + 90n, ruled: false, ...state },
  };
}

const tasks = (me: string, entries: AgreementEntry[], deliveries: Delivery[] = [], accepted: bigint[] = []) =>
  tasksOf({ me, entries, deliveries: new Map([[1n, deliveries]]), accepted: new Set(accepted), waiting: [], now: NOW }).map((task) => ({
    kind: task.kind,
    ...("amount" in task && { amount: task.amount }),
    ...("until" in task && { until: task.until }),
  }));

test("a buyer pays a bill without what is disputed", () => {
  const bill = entry(1n, { transactions: 2n, pending_amount: 100n, disputed_amount: 40n });
  assert.deepEqual(tasks(buyer, [bill]), [{ kind: "pay", amount: 60n }]);
  assert.deepEqual(tasks(seller, [bill]), []);
  const disputed = entry(1n, { transactions: 2n, pending_amount: 40n, disputed_amount: 40n });
  assert.deepEqual(tasks(buyer, [disputed]), []);
});

test("a buyer looks at each delivery under review while it lasts, and the seller draws it afterwards", () => {
  const funded = entry(1n, { deposit: Deposit.Reviewed, escrow_amount: 400n, pending_amount: 100n, transactions: 2n, energy_delivered_kwh: 10n });
  const deliveries = [delivery(1n, { provider_settles_from: NOW }), delivery(2n)];
  assert.ok(needsDeliveries(funded));
  assert.deepEqual(tasks(buyer, [funded], deliveries), [{ kind: "look", until: NOW + 90n }]);
  assert.deepEqual(tasks(seller, [funded], deliveries), [{ kind: "draw", amount: 50n }]);
});

test("nobody looks at a delivery that is disputed, ruled on or metered", () => {
  const funded = entry(1n, { deposit: Deposit.Metered, escrow_amount: 400n, pending_amount: 150n, transactions: 3n, energy_delivered_kwh: 15n });
  const deliveries = [
    delivery(1n, { disputed_at: NOW - 5n }, TransactionStatus.Disputed),
    delivery(2n, { ruled: true, provider_settles_from: NOW - 10n }),
    delivery(3n, { metered: true, provider_settles_from: NOW - 10n }),
  ];
  assert.deepEqual(tasks(buyer, [funded], deliveries), []);
  assert.deepEqual(tasks(seller, [funded], deliveries), [{ kind: "draw", amount: 100n }]);
});

test("an offer is answered by its buyer once, and not after its deadline", () => {
  assert.deepEqual(tasks(buyer, [entry(1n)]), [{ kind: "answer", until: NOW + 500n }]);
  assert.deepEqual(tasks(seller, [entry(1n)]), []);
  assert.deepEqual(tasks(buyer, [entry(1n)], [], [1n]), []);
  assert.deepEqual(tasks(buyer, [entry(1n, {}, { status: AgreementStatus.Cancelled })]), []);
  assert.deepEqual(tasks(buyer, [entry(1n, {}, { delivery_deadline: NOW - 1n })]), []);
});

test("a buyer fetches back what a deposit holds beyond what is owed", () => {
  const over = entry(1n, { deposit: Deposit.Reviewed, escrow_amount: 300n }, { status: AgreementStatus.Expired });
  assert.deepEqual(tasks(buyer, [over]), [{ kind: "refund", amount: 300n }]);
  assert.deepEqual(tasks(seller, [over]), []);
});

test("what ends soonest comes first, then what has no end", () => {
  const refund = entry(5n, { deposit: Deposit.Reviewed, escrow_amount: 9n }, { status: AgreementStatus.Expired });
  const bill = entry(4n, { transactions: 1n, pending_amount: 10n });
  const funded = entry(1n, { deposit: Deposit.Reviewed, escrow_amount: 400n, pending_amount: 50n, transactions: 1n, energy_delivered_kwh: 5n });
  const sooner = entry(3n, {}, { delivery_deadline: NOW + 20n });
  const waiting = [{ contractId: "C", other: buyer, entry: "x", method: "register_meter", signer: seller, until: Number(NOW) + 50 }];
  const all = tasksOf({
    me: buyer,
    entries: [refund, bill, entry(2n), funded, sooner],
    deliveries: new Map([[1n, [delivery(1n)]]]),
    accepted: new Set(),
    waiting,
    now: NOW,
  });
  assert.deepEqual(all.map(({ kind }) => kind), ["answer", "sign", "look", "answer", "pay", "refund"]);
});
