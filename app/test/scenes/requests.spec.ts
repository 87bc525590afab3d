// How much each view asks of the network: it prints the requests of a first visit, and those of the refresh after half a minute.

import assert from "node:assert/strict";
import type { Person } from "../person.js";
import type { RpcProxy } from "../proxy.js";
import { test } from "../scene.js";

const HOUR = 3600;

/** Requests of a view when it is opened, and when it refreshes. */
async function measure(what: string, rpc: RpcProxy, person: Person, view: string, shown: string | RegExp): Promise<[number, number]> {
  rpc.reset();
  await person.open(view);
  await person.sees(shown);
  await person.settled(rpc);
  const opened = rpc.count();
  rpc.reset();
  await person.page.clock.fastForward(31_000);
  await person.settled(rpc);
  const refreshed = rpc.count();
  console.log(`    ${what}: ${opened} requests, ${refreshed} more after 30 s ${JSON.stringify(rpc.counts)}`);
  assert.ok(opened > 0 || view === "offer");
  return [opened, refreshed];
}

test("how many requests each view makes", async ({ actor, person, rpc, stage }) => {
  test.setTimeout(240_000);
  const alice = await actor();
  const bob = await person("Bob", { registered: true });
  const agreements = [];
  for (let n = 0; n < 35; n++) agreements.push(await alice.offer(bob, { kwh: 100n, days: 90n }));
  const [busy = 0n] = agreements;
  for (let n = 1n; n <= 40n; n++) {
    await stage.advance(HOUR);
    await alice.act((client) =>
      client.deliver_energy({ agreement_id: busy, energy_delivered_kwh: 1n, meter_reading: n, provider: alice.address }),
    );
  }
  const stranger = await person("Stranger", { wallet: "none" });
  for (const { page } of [stranger, bob]) await page.clock.install();

  await measure("Home, without a wallet", rpc, stranger, "home", "Paid in");
  await measure("Home", rpc, bob, "home", "Registered");
  await measure("Agreements, 35", rpc, bob, "agreements", "You buy from");
  rpc.reset();
  for (let pages = 0; (await bob.button("Show more").count()) > 0; pages++) {
    await bob.press("Show more");
    await bob.settled(rpc);
    console.log(`    Agreements, page ${pages + 2}: ${rpc.count()} requests since the first`);
  }
  assert.equal(await bob.page.locator(".agreement").count(), 35);
  rpc.reset();
  await bob.page.clock.fastForward(31_000);
  await bob.settled(rpc);
  console.log(`    Agreements, all 35 shown: ${rpc.count()} after 30 s`);
  await measure("An agreement with 40 deliveries", rpc, bob, `agreement/${busy}`, "40 of 100 kWh delivered");
  await measure("History of 35 agreements", rpc, bob, "history", "40 kWh");
  await measure("Offer", rpc, bob, "offer", "Make the offer");
});
