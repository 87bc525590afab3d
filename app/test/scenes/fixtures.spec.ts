// What scenes are made of is what it says.

import assert from "node:assert/strict";
import { xdr } from "@stellar/stellar-sdk";
import { Deposit } from "../../client/src/index.js";
import { accessible } from "../pictures.js";
import { calledFunction, change } from "../proxy.js";
import { test } from "../scene.js";
import { xlmBalance } from "../token.js";

test("a German neighbour with a phone at night, who has registered by a key in her browser", async ({ person }) => {
  const greta = await person("Greta", { viewport: "phone", locale: "de-DE", colorScheme: "dark", wallet: "browser", registered: true });
  await greta.open();
  await greta.sees(/9\.99\d,\d+ XLM/);
  assert.equal(await greta.page.locator(".account .address").textContent(), greta.address);
  const seen = await greta.page.evaluate(() => [innerWidth, matchMedia("(prefers-color-scheme: dark)").matches, document.documentElement.lang]);
  assert.deepEqual(seen, [390, true, "de"]);
  await accessible(greta.page);
});

test("a page that complains, and one that asks somebody else, fail their scenes", async ({ person, stage }) => {
  const [carol, dave] = [await person("Carol", { wallet: "none" }), await person("Dave", { wallet: "none" })];
  await carol.open();
  stage.check();
  await carol.page.evaluate(() => console.error("odd"));
  const uncaught = carol.page.waitForEvent("pageerror");
  await carol.page.evaluate(() => void setTimeout(() => {
        throw new Error("uncaught");
      }));
  await uncaught;
  assert.throws(() => stage.check(), /odd[^]*uncaught[^]*Carol/);
  assert.throws(() => carol.complained(/other/), /should complain about/);
  carol.complained(/odd|uncaught/);
  stage.check();
  await dave.page.route(/example\.org/, (route) => route.fulfill({ body: "" }));
  await dave.page.goto("http://example.org/");
  assert.throws(() => stage.check(), /Dave[^]*example\.org/);
  dave.hosts.clear();
});

test("what the page reads of the contract is changed on its way", async ({ person, rpc, network }) => {
  const asked: (string | undefined)[] = [];
  const refuse = change((result, asking) => {
    asked.push(calledFunction(asking, network.passphrase));
    return asked.at(-1) === "get_prosumer" ? { error: "HostError: Error(Contract, #5)", latestLedger: result.latestLedger } : result;
  });
  const isRecord = (key: xdr.LedgerKey) => key.type === "contractData" && key.contractData.key.type !== "scvLedgerKeyContractInstance";
  const forget = change((result) => {
    const entries = result.entries as { key: string }[];
    return { ...result, entries: entries.filter(({ key }) => !isRecord(xdr.LedgerKey.fromXdr(key, "base64"))) };
  });
  const carol = await person("Carol", { registered: true });
  await carol.open();
  await carol.sees("Registered");
  rpc.on("simulateTransaction", refuse);
  rpc.on("getLedgerEntries", forget);
  await carol.open();
  await carol.button("Register").waitFor();
  assert.ok(asked.includes("get_prosumer") && asked.includes("get_config"));
});

for (const [token, balance] of [
  [{ asset: "EUR" }, "500.00 EUR"],
  [{ decimals: 0 }, "500 SUN"],
  [{ decimals: 18, symbol: "WEI" }, "500.00 WEI"],
] as const)
  test.describe(() => {
    test.use({ token });
    test(`a neighbour has ${balance}, and pays with it`, async ({ person, actor, contract, clock }) => {
      const [alice, bob] = [await actor(), await person("Bob", { registered: true })];
      const agreement_id = await alice.offer(bob, { kwh: 3n, price: 7n });
      await bob.actor.act((client) => client.fund_agreement({ agreement_id, consumer: bob.address, deposit: Deposit.Reviewed }));
      const through = await alice.act((client) =>
        client.deliver_energy({ agreement_id, energy_delivered_kwh: 3n, meter_reading: 3n, provider: alice.address }),
      );
      const before = await clock.now();
      await clock.advance(86_400);
      assert.ok((await clock.now()) >= before + 86_400);
      await alice.act((client) => client.settle_agreement({ agreement_id, through, settler: alice.address }));
      const state = (await contract.client().get_agreement_state({ agreement_id })).result.unwrap();
      assert.deepEqual([state.escrow_amount, state.pending_amount], [0n, 0n]);
      const carol = await person("Carol");
      await carol.open();
      await carol.sees(balance);
    });
  });

test.describe(() => {
  test.use({ token: { decimals: 7, takes: 5_000_000_000n } });
  test("a hostile token takes 500 XLM besides", async ({ actor, network }) => {
    const [alice, bob] = [await actor(), await actor()];
    const agreement_id = await alice.offer(bob, { kwh: 1n, price: 15_000_000n });
    const before = await xlmBalance(network, bob.address);
    await bob.act((client) => client.fund_agreement({ agreement_id, consumer: bob.address, deposit: Deposit.Reviewed }));
    const spent = before - (await xlmBalance(network, bob.address));
    assert.ok(spent > 5_000_000_000n && spent < 5_100_000_000n, String(spent));
  });
});
