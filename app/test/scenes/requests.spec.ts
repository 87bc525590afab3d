// How much the page asks of the network: to be loaded, for each view after that, and every half a minute.

import assert from "node:assert/strict";
import { Asset, Operation } from "@stellar/stellar-sdk";
import { submit } from "../../neighbourhood/network.js";
import type { Person } from "../person.js";
import { calledFunction, change, delay, dropBefore, error, html, status, times, type RpcProxy } from "../proxy.js";
import { accessible, pictures } from "../pictures.js";
import { test } from "../scene.js";

const HOUR = 3600;
const REFRESH = 31_000;

/** Loads the page, and then goes to a view: how many requests each of the two takes. */
async function measure(what: string, rpc: RpcProxy, person: Person, view: string, shown: string | RegExp): Promise<[number, number]> {
  rpc.reset();
  await person.open("offer");
  await person.settled(rpc);
  const loading = withoutLooks(rpc);
  const opened = await count(rpc, person, async () => {
    await person.page.evaluate((hash) => location.assign(hash), `#/${view}`);
    await person.sees(shown);
  });
  console.log(`    ${what}: ${opened} requests after ${loading} ${JSON.stringify(rpc.counts)}`);
  return [loading, opened];
}

/** How many requests something takes. */
async function count(rpc: RpcProxy, person: Person, what: () => Promise<unknown>): Promise<number> {
  rpc.reset();
  await what();
  await person.settled(rpc);
  return withoutLooks(rpc);
}

/** The look for changes that comes every half a minute may fall into anything; it is counted by itself. */
const withoutLooks = (rpc: RpcProxy) => rpc.count() - rpc.count("getEvents");

/** How many requests a look for changes takes with all that follows from it. */
async function refresh(rpc: RpcProxy, person: Person): Promise<number> {
  rpc.reset();
  await person.page.clock.fastForward(REFRESH);
  await person.settled(rpc);
  console.log(`    a look for changes: ${JSON.stringify(rpc.counts)}`);
  return rpc.count();
}

test("how many requests each view makes", async ({ actor, person, rpc, network, clock }) => {
  test.setTimeout(240_000);
  const alice = await actor();
  const bob = await person("Bob", { registered: true });
  const agreements: bigint[] = [];
  for (let n = 0; n < 35; n++) agreements.push(await alice.offer(bob, { kwh: 100n, days: 90n }));
  const [busy = 0n] = agreements;
  const deliver = (agreement_id: bigint, meter_reading: bigint) =>
    alice.act((client) => client.deliver_energy({ agreement_id, energy_delivered_kwh: 1n, meter_reading, provider: alice.address }));
  for (let n = 1n; n <= 40n; n++) {
    await clock.advance(HOUR);
    await deliver(busy, n);
  }
  const stranger = await person("Stranger", { wallet: "none" });
  for (const { page } of [stranger, bob]) await page.clock.install();

  // Three load the page: which network that is, its last ledger, and the contract. The first visit asks besides which token that is, and which code the contract runs.
  assert.deepEqual(await measure("Home, without a wallet", rpc, stranger, "home", "Paid in"), [4, 2]);
  assert.deepEqual(await measure("Home, without a wallet, again", rpc, stranger, "home", "Paid in"), [3, 1]);
  // Its looks for changes would be counted as Bob's.
  await stranger.page.close();
  // After a first visit.
  await bob.open();
  // Two pages of agreements and all deliveries tell what waits for a person; all else is one request.
  assert.deepEqual(await measure("Home", rpc, bob, "home", "Registered"), [3, 4]);
  assert.equal(await refresh(rpc, bob), 1);
  assert.deepEqual(await measure("An agreement with 40 deliveries", rpc, bob, `agreement/${busy}`, "40 of 100 kWh delivered"), [3, 4]);
  assert.equal(await refresh(rpc, bob), 1);
  assert.deepEqual(await measure("Offer", rpc, bob, "offer", "Make the offer"), [3, 0]);
  assert.deepEqual(await measure("History of 35 agreements", rpc, bob, "history", "40 kWh"), [3, 3]);
  assert.equal(await refresh(rpc, bob), 1);

  assert.deepEqual(await measure("Agreements, the first ten", rpc, bob, "agreements", "You buy from"), [3, 2]);
  for (const [page, shown] of [20, 30, 35].entries()) {
    assert.equal(await count(rpc, bob, () => bob.press("Show more")), 1, `page ${page + 2}`);
    assert.equal(await bob.page.locator(".agreement").count(), shown);
  }
  assert.equal(await refresh(rpc, bob), 1);

  // Of 35 agreements one changes: its page alone is read again. That Alice's record changes is shown nowhere.
  const [last = 0n] = agreements.slice(-1);
  await deliver(last, 41n);
  assert.equal(await refresh(rpc, bob), 3);
  await bob.sees("1 of 100 kWh delivered");
  assert.equal(await refresh(rpc, bob), 1);
  // Money from elsewhere is seen, too.
  await bob.page.evaluate(() => location.assign("#/home"));
  await bob.sees("Registered");
  await bob.settled(rpc);
  const gift = Operation.payment({ destination: bob.address, asset: Asset.native(), amount: "500" });
  await submit(network, [gift], [alice.keypair]);
  assert.equal(await refresh(rpc, bob), 2);
  await bob.sees(/^10,499\.\d+ XLM$/);

  // Where the contract cannot answer the whole history at once, it is read by pages, and what has not changed is not read again.
  rpc.on("simulateTransaction", async (asked, forward) =>
    calledFunction(asked, "Standalone Network ; February 2017") === "get_transaction_history" ? error(-32603, "budget")(asked, forward) : forward(),
  );
  assert.deepEqual(await measure("History by pages", rpc, bob, "history", "41 kWh"), [3, 5]);
  await deliver(last, 42n);
  assert.equal(await refresh(rpc, bob), 4);
  await bob.sees("42 kWh");
});

test("what is shown stays while the network is in trouble, and says of when it is", async ({ actor, person, rpc }) => {
  const alice = await actor();
  const bob = await person("Bob", { registered: true });
  const id = await alice.offer(bob);
  await bob.page.clock.install();
  await bob.open(`agreement/${id}`);
  await bob.sees("Offer, not answered");
  await bob.page.getByText("Name for this neighbour").first().click();
  await bob.fill("Name for this neighbour", "Ali");
  rpc.on("*", dropBefore);
  await bob.page.clock.fastForward(REFRESH);
  await bob.sees(/What you see is as of \d\d:\d\d\./);
  await bob.sees("Offer, not answered");
  await accessible(bob.page);
  rpc.off();
  await bob.page.clock.fastForward(REFRESH);
  await bob.page.getByText("What you see is as of").waitFor({ state: "detached" });

  // Something has changed, and only its reading fails.
  await alice.act((client) =>
    client.deliver_energy({ agreement_id: id, energy_delivered_kwh: 3n, meter_reading: 3n, provider: alice.address }),
  );
  rpc.on("simulateTransaction", html);
  await bob.page.clock.fastForward(REFRESH);
  await bob.sees("What answered is not the network but something else");
  await bob.sees(/What you see is as of \d\d:\d\d\./);
  await bob.sees("Offer, not answered");
  assert.equal(await bob.page.getByLabel("Name for this neighbour").inputValue(), "Ali");
  await accessible(bob.page);
  rpc.off();
  await bob.press("Try again");
  await bob.sees("3 of 40 kWh delivered");
  assert.equal(await bob.page.getByLabel("Name for this neighbour").inputValue(), "Ali");
  bob.complained(/ERR_EMPTY_RESPONSE/);
});

test("a busy network is asked again, and nobody notices", async ({ person, rpc }) => {
  const bob = await person("Bob", { registered: true });
  rpc.on("*", times(2, status(429, { "retry-after": "0" })));
  await bob.open();
  await bob.sees("Registered");
  bob.complained(/429/);
});

test("a log-in page in place of the network is named as such", async ({ person, rpc }) => {
  const bob = await person("Bob", { registered: true });
  rpc.on("*", html);
  await bob.open();
  await bob.sees("What answered is not the network but something else, such as the log-in page of a public Wi-Fi.");
  await bob.sees(new URL(rpc.url).host);
  await accessible(bob.page);
  rpc.off();
  await bob.press("Try again");
  await bob.sees("Registered");
});

test("after a gap that the network does not tell of everything is read anew", async ({ actor, person, rpc }) => {
  const alice = await actor();
  const bob = await person("Bob", { registered: true });
  await bob.page.clock.install();
  await bob.open("agreements");
  await bob.sees("There are none yet.");
  await alice.offer(bob);
  rpc.on("getEvents", times(1, error(-32600, "startLedger must be within the ledger range: 900 - 1000")));
  await bob.page.clock.fastForward(REFRESH);
  await bob.sees("You buy from");
  // The same where an RPC looks through too few ledgers at a time.
  const id = await alice.offer(bob, { kwh: 77n });
  assert.ok(id);
  rpc.on("getEvents", times(1, change((result) => ({ ...result, events: [], cursor: "0000000004294967296-0000000000" }))));
  await bob.page.clock.fastForward(REFRESH);
  await bob.page.locator(".agreement").nth(1).waitFor();
});

test.describe(() => {
  test.use({ asTestnet: true });
  test("a server of another network is named with both networks, in place of what it answers, and nothing is signed", async ({ person, rpc, stage }) => {
    const carol = await person("Carol", { viewport: "phone" });
    const link = `${stage.siteUrl}?${new URLSearchParams({ contract: stage.contract.contractId, network: "local", rpc: rpc.rpcUrl })}`;
    // Nobody waits for this answer, and nothing is prepared to be signed before it.
    rpc.on("getNetwork", delay(4000));
    await carol.follow(link);
    await carol.press("Register");
    await carol.dialog.getByText("Loading …").waitFor();
    await carol.sees("names a server of another network");
    const { host } = new URL(rpc.url);
    await carol.sees(`The server ${host} belongs to the network “Testnet (for trying out)”, this community to the network “This computer”.`);
    assert.deepEqual([await carol.dialog.count(), rpc.count("getNetwork"), rpc.count("getFeeStats"), rpc.count("sendTransaction")], [0, 1, 0, 0]);
    assert.ok(!(await carol.text()).includes("Register"));
    await accessible(carol.page);
    await pictures(carol.page, "other-network");
    // A contract that is not there either is not what is wrong.
    rpc.off();
    await carol.follow(link.replace(stage.contract.contractId, "CAAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIBAEAQC526"));
    await carol.sees("names a server of another network");
    assert.ok(!(await carol.text()).includes("There is no such contract"));
  });
});
