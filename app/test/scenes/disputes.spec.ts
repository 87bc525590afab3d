// The admin sees every open dispute, however old it is, with few requests.

import assert from "node:assert/strict";
import { Address, scValToNative, xdr } from "@stellar/stellar-sdk";
import { AgreementStatus, Deposit, TransactionStatus } from "../../client/src/index.js";
import { recordKey } from "../../src/chain/keys.js";
import { TRANSACTION_STEP } from "../../src/contract/limits.js";
import { readStoredAgreement, readStoredProsumer, stateIn } from "../../src/contract/record.js";
import { codeHash, extendLife } from "../../neighbourhood/setup.js";
import type { State } from "../../neighbourhood/state.js";
import type { Actor } from "../actor.js";
import { error } from "../proxy.js";
import { accessible } from "../pictures.js";
import { test } from "../scene.js";

const DAY = 86_400;

const deliver = (seller: Actor, agreement_id: bigint, meter_reading: bigint, energy_delivered_kwh = 1n) =>
  seller.act((client) => client.deliver_energy({ agreement_id, energy_delivered_kwh, meter_reading, provider: seller.address }));
const dispute = (by: Actor, transaction_id: bigint) => by.act((client) => client.dispute_transaction({ transaction_id, disputer: by.address }));
const settle = (by: Actor, transaction_id: bigint) => by.act((client) => client.settle_payment({ transaction_id, settler: by.address }));

test("records say what the contract says of them", async ({ actor, admin, network, contract, clock }) => {
  const [alice, bob] = [await actor(), await actor()];
  await admin.certify(bob, { meter: contract.contractId, reading: 120_540n, power: 9n });
  const ids: bigint[] = [];
  for (let n = 0; n < 6; n++) ids.push(await alice.offer(bob, { kwh: n === 5 ? 300n : 40n, days: 2n + 10n * BigInt(n) }));
  const [expired = 0n, cancelled = 0n, disputed = 0n, ruled = 0n, , full = 0n] = ids;
  let reading = 0n;
  const delivered = async (id: bigint, kwh = 1n) => deliver(alice, id, (reading += kwh), kwh);
  await settle(bob, await delivered(expired));
  await settle(bob, await delivered(cancelled, 7n));
  await alice.act((client) => client.cancel_agreement({ agreement_id: cancelled, canceller: alice.address }));
  await settle(bob, await delivered(disputed));
  await delivered(disputed, 5n);
  await dispute(bob, await delivered(disputed, 9n));
  await clock.advance(DAY);
  await dispute(alice, await delivered(disputed));
  const half = await delivered(ruled, 9n);
  await dispute(bob, half);
  await admin.act((client) => client.resolve_dispute({ transaction_id: half, energy_accepted_kwh: 4n, resolver: admin.address }));
  await settle(bob, half);
  await dispute(bob, await delivered(ruled));
  await bob.act((client) => client.fund_agreement({ agreement_id: full, consumer: bob.address, deposit: Deposit.Reviewed }));
  await settle(bob, await delivered(full, 300n));
  await clock.advance(5 * DAY);

  const now = BigInt(await clock.now());
  const client = contract.client();
  const record = async (of: xdr.ScVal) => {
    const [entry] = (await network.server.getLedgerEntries(recordKey(contract.contractId, of))).entries;
    assert.ok(entry?.val.type === "contractData");
    return scValToNative(entry.val.contractData.val) as Uint8Array;
  };
  for (const { address } of [alice, bob]) {
    const prosumer = (await client.get_prosumer({ prosumer: address })).result.unwrap();
    assert.deepEqual(readStoredProsumer(await record(Address.fromString(address).toScVal())), prosumer);
  }
  for (const agreement_id of ids) {
    const stored = readStoredAgreement(await record(xdr.ScVal.scvU64(agreement_id)), now);
    const agreement = (await client.get_agreement({ agreement_id })).result.unwrap();
    const transactions = (await client.get_agreement_transactions({ agreement_id })).result.unwrap();
    const state = (await client.get_agreement_state({ agreement_id })).result.unwrap();
    assert.deepEqual(stateIn(stored, agreement, transactions), state);
    // What does not fit to the contract's own answer is not taken.
    assert.equal(stateIn(stored, { ...agreement, price_per_kwh: agreement.price_per_kwh + 1n }, transactions), undefined);
    assert.equal(stateIn({ ...stored, delivered: [...stored.delivered, 1n] }, agreement, transactions), undefined);
    const ofAll = transactions.filter(({ status }) => status === TransactionStatus.Disputed).map(({ transaction_id }) => transaction_id);
    const { provider, consumer } = agreement;
    assert.deepEqual(
      [stored.provider, stored.consumer, stored.disputed.map((place) => place * TRANSACTION_STEP + agreement_id), stored.over],
      [
        provider,
        consumer,
        ofAll,
        agreement.status !== AgreementStatus.Active && transactions.every(({ status }) => status === TransactionStatus.Settled),
      ],
      String(agreement_id),
    );
  }
});

test("disputes are found in the records, whatever events the network remembers", async ({ actor, admin, person, rpc, clock }) => {
  test.setTimeout(120_000);
  const [alice, bob, carol] = [await actor(), await actor(), await actor()];
  const ids: bigint[] = [];
  for (let n = 0; n < 5; n++) ids.push(await alice.offer(bob, { days: 3n }));
  const [first = 0n, second = 0n] = ids;
  await settle(bob, await deliver(alice, first, 1n));
  await dispute(bob, await deliver(alice, second, 10n, 9n));
  await clock.advance(20 * DAY);
  const fromCarol = await carol.offer(alice, { days: 60n });
  const coop = await person("Co-op", { keypair: admin.keypair, funded: false });
  // Nothing of what events tell is needed.
  rpc.on("getEvents", error(-32600, "startLedger must be within the ledger range"));
  await coop.open("offer");
  await coop.settled(rpc);
  const open = async () => {
    rpc.reset();
    await coop.page.evaluate(() => location.assign("#/admin"));
    await coop.sees(`Agreement ${second}, Delivery 1`);
    await coop.settled(rpc);
    const { getEvents = 0, getLatestLedger = 0, ...counts } = rpc.counts;
    return [counts, getEvents === getLatestLedger];
  };
  // The count of prosumers and the disputed delivery; and the records: each one’s first agreement, the second and third,
  // the fourth to seventh, and the prosumers whom they name. The list of members, the contract's life and what would prolong it are five requests more.
  assert.deepEqual(await open(), [{ simulateTransaction: 2, getLedgerEntries: 9 }, true]);
  await accessible(coop.page);
  // What is over is not read again: the open ones are one request, and the next of each seller another. Which code the contract runs is known, so that its
  // life is asked for along with the first members.
  await coop.open("offer");
  await coop.settled(rpc);
  assert.deepEqual(await open(), [{ simulateTransaction: 2, getLedgerEntries: 6 }, true]);

  await dispute(alice, await deliver(carol, fromCarol, 3n));
  await coop.open("offer");
  await coop.settled(rpc);
  await open();
  await coop.sees(`Agreement ${fromCarol}, Delivery 1`);
  await admin.act((client) => client.resolve_dispute({ transaction_id: second, energy_accepted_kwh: 4n, resolver: admin.address }));
  await coop.open("admin");
  await coop.sees(`Agreement ${fromCarol}, Delivery 1`);
  assert.equal(await coop.page.getByText(`Agreement ${second},`).count(), 0);
});

test("disputes of archived agreements are found, too", async ({ actor, admin, person, network, contract, clock }) => {
  test.setTimeout(120_000);
  const [alice, bob] = [await actor(), await actor()];
  const id = await alice.offer(bob);
  const old = await deliver(alice, id, 1n);
  await dispute(bob, old);
  await extendLife(network, admin.keypair, { ...contract, codeHash: codeHash() } as unknown as State);
  // The contract lives on, and its records are archived.
  await clock.advance(125 * DAY);
  const coop = await person("Co-op", { keypair: admin.keypair, funded: false });
  await coop.open("admin");
  await coop.sees(`Agreement ${id}, Delivery 1`);
});
