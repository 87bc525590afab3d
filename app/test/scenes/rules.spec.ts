// What the month does not come to: the rules beside the contract, between its steps.

import assert from "node:assert/strict";
import { RulesCheck } from "../rules.js";
import { test } from "../scene.js";

const DAY = 86_400;

test("three deliveries to pay and a dispute that is old enough are as the contract has them", async ({ stage, actor, clock }) => {
  const rules = new RulesCheck(stage);
  const [alice, bob] = [await actor(), await actor()];
  const provider = alice.address;
  const bill = await alice.offer(bob, { days: 90n });
  for (const meter_reading of [1n, 2n, 3n])
    await alice.act((client) => client.deliver_energy({ agreement_id: bill, energy_delivered_kwh: 1n, meter_reading, provider }));
  await rules.hold(provider);
  await bob.act((client) => client.dispute_transaction({ transaction_id: bill, disputer: bob.address }));
  await clock.advance(31 * DAY);
  await rules.hold(provider);
  for (const name of ["payOne", "close", "dispute", "giveIn", "rule", "compromise", "draw: buyerPays"]) assert.ok(rules.tried.has(name), name);
});
