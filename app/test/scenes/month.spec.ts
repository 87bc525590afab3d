// Alice sells, Bob buys, and a co-op is the admin: a whole month, with real signatures and a clock that is moved.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Keypair, scValToNative } from "@stellar/stellar-sdk";
import { expect, type Page } from "@playwright/test";
import type { Client } from "../../client/src/index.js";
import { networks } from "../../src/chain/networks.js";
import { send } from "../../neighbourhood/network.js";
import type { Person } from "../person.js";
import { takePictures } from "../pictures.js";
import { RulesCheck } from "../rules.js";
import { test } from "../scene.js";
import { Stage } from "../stage.js";

const HOUR = 3600;
const DAY = 24 * HOUR;

/** All that a page of Mainnet asks, one after the other. */
const mainnetHosts = networks
  .filter(({ name }) => name === "mainnet")
  .flatMap(({ rpcUrl, otherRpcUrls = [] }) => [rpcUrl, ...otherRpcUrls].map((url) => new URL(url).host));

test.describe.serial("a month among neighbours", () => {
  let stage: Stage;
  let alice: Person;
  let bob: Person;
  let admin: Person;
  let meterKey: Keypair;
  let reader: Client;
  let rules: RulesCheck;
  let provider: string;
  let consumer = "";
  let reading = 0n;
  const faults: string[] = [];

  test.beforeAll(async ({ browser, siteUrl }) => {
    stage = await Stage.open(browser, siteUrl);
    alice = await stage.person("Alice", { connected: false });
    bob = await stage.person("Bob", { wallet: "none", funded: false });
    admin = await stage.person("Admin", { connected: false, keypair: stage.admin.keypair, funded: false });
    meterKey = Keypair.random();
    await stage.network.fund(meterKey.publicKey());
    reader = stage.contract.client();
    provider = alice.address;
    rules = new RulesCheck(stage);
  });
  // Whatever has happened, the page offers each person what the contract takes, and blocks what it refuses.
  test.afterEach(async () => {
    if (consumer) await rules.hold(provider);
  });
  test.afterAll(async () => {
    await stage.close();
    assert.deepEqual(faults, []);
  });

  /** What is wrong in a picture does not end the story: it is told after it, wherever that ends. */
  const pictures = async (page: Page, view: string) => void faults.push(...(await takePictures(page, view)));
  const deal = async (agreement_id: bigint) => (await reader.get_agreement_state({ agreement_id })).result.unwrap();

  /** What the meter's gateway does. */
  const meterRecords = async (agreement_id: bigint, kwh: bigint) => {
    reading += kwh;
    // A reading grows no faster than the plant exports.
    const { read_at } = (await reader.get_prosumer({ prosumer: provider })).result.unwrap();
    while (BigInt((await stage.network.server.getLatestLedger()).closeTime) <= read_at) await setTimeout(1000);
    await send(
      await stage.contract.client(meterKey).deliver_energy({ agreement_id, energy_delivered_kwh: kwh, meter_reading: reading, provider }),
    );
  };
  /** The last day on which the page may have an agreement end, so many days ahead. */
  const dayAhead = async (days: number) => {
    const { closeTime } = await stage.network.server.getLatestLedger();
    return new Date((Number(closeTime) + days * DAY) * 1000).toLocaleDateString("sv-SE", { timeZone: "Europe/Berlin" });
  };
  const offers = async (kwh: string, price: string, days: number) => {
    await alice.open(`offer/${consumer}`);
    await alice.fill("How much? (kWh)", kwh);
    await alice.fill(/^Price per kWh/, price);
    await alice.fill("Deliveries until", await dayAhead(days));
    await alice.press("Make the offer");
  };

  test("a page without a contract asks which, and refuses what is none", async () => {
    const { page } = bob;
    await page.goto(stage.siteUrl);
    await bob.fill("Contract", "GNOTACONTRACT");
    await bob.press("Open");
    await bob.sees("This is not the address of a contract");
    await pictures(page, "start");
    await bob.fill("Contract", stage.contract.contractId);
    await page.getByLabel("Network").selectOption("mainnet");
    for (const host of mainnetHosts) await page.route(`https://${host}/**`, (route) => route.abort());
    await bob.press("Open");
    await bob.sees("The network cannot be reached.");
    assert.ok(page.url().includes(`contract=${stage.contract.contractId}&network=mainnet`));
    await page.unrouteAll();
  });

  test("anyone sees what the contract is, without a wallet", async () => {
    await bob.open();
    const text = await bob.text();
    assert.match(text, /Paid in\s+XLM/);
    assert.match(text, /Kept on the network for\s+1(19|20) days/);
    assert.ok(text.includes(stage.contract.contractId));
    await pictures(bob.page, "home-reader");
  });

  test("the page remembers its contract", async () => {
    await bob.page.goto(stage.siteUrl);
    await bob.sees("Paid in");
    assert.ok(bob.page.url().includes(stage.contract.contractId));
  });

  test("Bob tries it with a key in his browser, funded by one click, and registers", async () => {
    await bob.press("Try without a wallet");
    await bob.sees("10,000.00 XLM");
    await bob.press("Register");
    await bob.signs("You are registered.", "Register as a neighbour", "No money moves.");
    await bob.sees("Registered");
    consumer = (await bob.page.locator(".account .address").textContent()) ?? "";
    await bob.press("Copy a link for a seller");
    const link = await bob.page.evaluate(() => navigator.clipboard.readText());
    assert.ok(link.endsWith(`#/offer/${consumer}`));
  });

  test("Alice connects Freighter, and registers", async () => {
    await alice.open();
    await alice.press("Connect Freighter");
    await alice.sees("10,000.00 XLM");
    await alice.press("Register");
    await alice.signs("You are registered.");
    await alice.sees("Registered");
    await pictures(alice.page, "home");
  });

  test("Alice offers 40 kWh at 0.1234567 XLM, the total is shown while she types, and a mistake is explained", async () => {
    await alice.open(`offer/${consumer}`);
    await alice.fill(/^Price per kWh/, "1,500");
    await alice.fill("How much? (kWh)", "1,500");
    await alice.press("Make the offer");
    await alice.sees("Thousands or a fraction? Choose what you mean:");
    await expect(alice.button("1,500.00 XLM")).toHaveCount(1);
    await alice.press("1.50 XLM");
    await expect(alice.page.locator("output")).toHaveText("2,250.00 XLM");
    await offers("40", "0.1234567", 10);
    await expect(alice.page.locator("output")).toHaveText("4.938268 XLM");
    await alice.review();
    await pictures(alice.page, "review-offer");
    await alice.signs("The offer is made.", "40 kWh at 0.1234567 XLM per kWh, 4.938268 XLM in all", "No money moves.");
    await pictures(alice.page, "offer");
  });

  test("the fee that is shown is the most that is charged", async () => {
    await offers("1", "1", 10);
    const shown = await alice.review();
    const [, most] = /At most ([\d.]+) XLM, most of it/.exec(shown) ?? [];
    const ended = await alice.signs("The offer is made.");
    const [, charged] = /It cost ([\d.]+) XLM\./.exec(ended) ?? [];
    assert.ok(Number(charged) <= Number(most) && Number(charged) > 0.8 * Number(most), `${charged} of ${most}`);
  });

  const first = 1_000_001n;
  test("Alice ends an offer again", async () => {
    await alice.open("agreement/1000002");
    await alice.press("End this agreement");
    await alice.signs("The agreement has ended.");
    await alice.sees("Cancelled");
  });

  test("Bob sees the offer among his agreements, and deposits its total, under review", async () => {
    await bob.open("agreements");
    await bob.sees("You buy from");
    await bob.sees("Offer, not answered");
    await bob.page
      .getByRole("link", { name: /You buy from/ })
      .last()
      .click();
    await bob.sees("You can look at each delivery for 24 hours and dispute it");
    assert.equal(await bob.button("Pay a deposit on which the meter draws").count(), 0);
    await bob.press("Pay a deposit, and look at each delivery");
    await bob.signs(
      "The deposit is paid.",
      "look at each delivery for 24 hours before it pays",
      "4.938268 XLM from you to the contract",
      "Each delivery can be looked at for 24 hours",
    );
    assert.equal((await deal(first)).escrow_amount, 49_382_680n);
    await bob.sees("Deposit with review");
  });

  test("neighbours get names", async () => {
    const names = async (person: Person, name: string) => {
      await person.page.getByText("Name for this neighbour").first().click();
      await person.page.getByRole("textbox", { name: "Name for this neighbour" }).fill(name);
      await person.press("Save");
    };
    await names(bob, "Alice");
    await bob.sees("You buy from Alice");
    await alice.open(`agreement/${first}`);
    await names(alice, "Bob");
    await alice.sees("You sell to Bob");
  });

  test("what Bob cannot do now is greyed, and says why", async () => {
    assert.equal(await bob.button("End this agreement").getAttribute("aria-disabled"), "true");
    await bob.sees("You paid a deposit: it is the seller’s assurance until the deadline.");
    await bob.button("End this agreement").click({ force: true });
    assert.equal(await bob.dialog.count(), 0);
  });

  test("Alice records a delivery by hand; its review is counted down, and she cannot draw yet", async () => {
    await alice.open(`agreement/${first}`);
    await alice.fill("Delivered energy (kWh)", "41");
    await alice.fill("Meter reading (kWh)", "10");
    await alice.press("Record a delivery");
    await alice.sees("It can be at most 40 kWh.");
    await alice.fill("Delivered energy (kWh)", "10");
    await alice.press("Record a delivery");
    await alice.signs("The delivery is recorded.", "10 kWh");
    await alice.sees(/Review ends .* \(in (23|24) hours\)/);
    assert.equal(await alice.button("Draw what is due").getAttribute("aria-disabled"), "true");
  });

  test("after 24 hours she draws it", async () => {
    await stage.advance(25 * HOUR);
    await alice.open(`agreement/${first}`);
    await alice.sees("Review is over");
    await alice.press("Draw what is due");
    await alice.signs("The bill is paid.", "1.234567 XLM from the contract to you");
    assert.equal((await deal(first)).escrow_amount, 37_037_010n);
  });

  test("Bob disputes the next delivery", async () => {
    await alice.fill("Delivered energy (kWh)", "9");
    await alice.fill("Meter reading (kWh)", "19");
    await alice.press("Record a delivery");
    await alice.signs("The delivery is recorded.");
    await bob.open(`agreement/${first}`);
    await bob.press("Dispute");
    await bob.signs("The delivery is disputed.", "Dispute delivery 2 of agreement 1000001");
    await bob.sees("Disputed");
    await bob.sees(/Can be closed by default from .* \(in (29|30) days\)/);
  });

  test("Alice proposes a compromise, which Bob opens by a link, sees in words, and signs", async () => {
    await alice.open(`agreement/${first}`);
    await alice.press("Propose a compromise");
    await alice.fill("Energy to be paid (kWh)", "5");
    await alice.sees("The buyer pays 0.6172835 XLM.");
    await pictures(alice.page, "agreement-disputed");
    await alice.press("Check and sign");
    const link = await alice.signsFirst();
    await bob.follow(link);
    await bob.sees("Agree that 5 kWh of delivery 2 of agreement 1000001 are to be paid.");
    await pictures(bob.page, "second-signature");
    await bob.press("Check and sign");
    await bob.signs("The dispute is over.");
    const { status, payment_amount } = (await reader.get_transaction({ transaction_id: 10_000_000_000_000n + first })).result.unwrap();
    assert.deepEqual([status, payment_amount], [1, 6_172_835n]);
  });

  test("Bob pays it from the deposit", async () => {
    await bob.open(`agreement/${first}`);
    await bob.press("Pay the bill");
    await bob.signs("The bill is paid.", "0.6172835 XLM from the contract to");
  });

  test("Alice asks for a meter’s certificate; the link travels as a file, and the admin signs it", async () => {
    reading = 100n;
    await alice.open();
    await alice.page.getByText("Have a meter certified").click();
    await alice.fill("Address of the meter", meterKey.publicKey());
    await alice.fill("Its reading now (kWh)", "100");
    await alice.fill("Power of the plant (kW)", "16777216");
    await alice.press("Sign and make a link");
    await alice.sees("It can be at most 16,777,215 kW.");
    await alice.fill("Power of the plant (kW)", "100000");
    await pictures(alice.page, "meter");
    await alice.press("Sign and make a link");
    await alice.sign("counting from 100 kWh, for a plant of at most 100,000 kW");
    const download = alice.page.waitForEvent("download");
    await alice.press("Save as a file");
    const path = await (await download).path();
    await pictures(alice.page, "link");
    await alice.closeDialog();
    await admin.open();
    await admin.press("Connect Freighter");
    await admin.page.getByLabel("Have you been sent a file for signing?").setInputFiles(path);
    await admin.sees("for a plant of at most 100,000 kW");
    await admin.press("Check and sign");
    await admin.signs("The meter’s certificate was changed.");
    const { meter, meter_start, max_power_kw } = (await reader.get_prosumer({ prosumer: provider })).result.unwrap();
    assert.deepEqual([meter, meter_start, max_power_kw], [meterKey.publicKey(), 100n, 100_000n]);
  });

  const metered = 1_000_003n;
  test("Bob deposits for a month of metered deliveries, and is told that they are paid at once", async () => {
    await offers("200", "0.15", 21);
    await alice.signs("The offer is made.");
    await rules.hold(provider);
    await bob.open(`agreement/${metered}`);
    await bob.sees("such a delivery cannot be disputed");
    await expect(bob.button("Pay a deposit, and look at each delivery")).toHaveCount(1);
    await pictures(bob.page, "deposit");
    await bob.press("Pay a deposit on which the meter draws");
    await bob.signs(
      "The deposit is paid.",
      "on which the certified meter draws at once",
      "30.00 XLM from you to the contract",
      "Pays what the certified meter records, at once.",
    );
    await bob.sees("Deposit, paid by meter");
  });

  test("the gateway delivers day by day, paid at once, while nobody is awake", async () => {
    for (const kwh of [7n, 12n, 9n, 14n, 3n, 11n, 8n, 13n, 10n, 6n]) {
      await stage.advance(DAY);
      await meterRecords(metered, kwh);
    }
    const { pending_amount, escrow_amount, energy_delivered_kwh } = await deal(metered);
    assert.deepEqual([pending_amount, escrow_amount, energy_delivered_kwh], [0n, 160_500_000n, 93n]);
    await alice.open(`agreement/${metered}`);
    await alice.sees("93 of 200 kWh delivered");
    await alice.sees("Your certified meter records the deliveries.");
    await pictures(alice.page, "agreement-metered");
  });

  test("what the gateway delivers hour by hour on a day is shown as one delivery, and nobody is offered to dispute it", async () => {
    const { closeTime } = await stage.network.server.getLatestLedger();
    // The contract's days begin at midnight UTC.
    await stage.advance(DAY - (Number(closeTime) % DAY));
    for (const kwh of [2n, 3n, 4n]) {
      await stage.advance(HOUR);
      await meterRecords(metered, kwh);
    }
    assert.equal((await deal(metered)).transactions, 11n);
    for (const person of [alice, bob]) {
      await person.open(`agreement/${metered}`);
      await person.sees("102 of 200 kWh delivered");
      await expect(person.page.locator(".delivery")).toHaveCount(11);
      assert.match(await person.page.locator(".delivery").first().innerText(), /Delivery 11\s+Paid\s+9 kWh\s+1\.35 XLM/);
      assert.equal(await person.button("Dispute").count(), 0);
    }
    await pictures(bob.page, "agreement-hourly");
  });

  const bill = 1_000_004n;
  test(
    "without a deposit Bob pays a bill with one signature; a delivery meanwhile makes the page simulate again by itself",
    async () => {
      await offers("100", "0.2", 30);
      await alice.signs("The offer is made.");
      for (const kwh of [4n, 5n, 6n]) {
        await stage.advance(DAY);
        await meterRecords(bill, kwh);
      }
      await bob.open(`agreement/${bill}`);
      await bob.sees("Everything that is open: 3.00 XLM, with one signature.");
      await pictures(bob.page, "agreement-bill");
      await bob.press("Pay the bill");
      assert.ok((await bob.review()).includes("3.00 XLM from you to"));
      await pictures(bob.page, "review-bill");
      await meterRecords(bill, 7n);
      await bob.dialog.getByRole("button", { name: "Sign", exact: true }).click();
      await bob.sees("Something has changed meanwhile, so it was calculated again.");
      await bob.signs("The bill is paid.", "3.00 XLM from you to");
      assert.equal((await deal(bill)).pending_amount, 14_000_000n);
    },
  );

  test("Bob disputes a delivery, and the admin finds it and rules", async () => {
    await bob.sees("Everything that is open: 1.40 XLM");
    await bob.press("Dispute");
    await bob.signs("The delivery is disputed.");
    await admin.open("admin");
    await admin.sees("Agreement 1000004, Delivery 4");
        await admin.page.getByRole("link", { name: "Agreement 1000004, Delivery 4" }).click();
    await admin.press("Rule");
    await admin.fill("Energy to be paid (kWh)", "2");
    await admin.press("Check and sign");
    await admin.signs("The dispute is over.", "Rule that 2 kWh");
    assert.equal((await deal(bill)).pending_amount, 4_000_000n);
  });

  test("a dispute that nobody rules on is closed by default after 30 days, the metered one in full", async () => {
    await stage.advance(DAY);
    await meterRecords(bill, 3n);
    await bob.open(`agreement/${bill}`);
    await bob.press("Dispute");
    await bob.signs("The delivery is disputed.");
    assert.equal(await bob.button("Close by default").getAttribute("aria-disabled"), "true");
    await stage.advance(30 * DAY);
    await bob.open(`agreement/${bill}`);
    await bob.press("Close by default");
    await bob.signs("The dispute is closed.");
    assert.equal((await deal(bill)).pending_amount, 10_000_000n);
    await bob.sees("Everything that is open: 1.00 XLM");
    await bob.press("Pay the bill");
    await bob.signs("The bill is paid.", "1.00 XLM from you to");
  });

  test("the deadlines are over, and Bob fetches what is left of his deposits", async () => {
    for (const [id, amount] of [
      [metered, "14.70"],
      [first, "3.0864175"],
    ] as const) {
      await bob.open(`agreement/${id}`);
      await bob.sees("Ended");
      await bob.press("Fetch the refund");
      await bob.signs("The refund is paid.", `${amount} XLM from the contract to you`);
      assert.equal((await deal(id)).escrow_amount, 0n);
    }
  });

  test("the admin retires the meter with one signature", async () => {
    await admin.open("admin");
    await admin.fill("Address of the neighbour", provider);
    await admin.press("Show");
    await admin.sees("Sold since the meter was certified");
    await admin.press("Retire the meter");
    await admin.signs("The meter’s certificate was changed.", "Retire the meter of");
    assert.equal((await reader.get_prosumer({ prosumer: provider })).result.unwrap().meter, null);
  });

  test("Bob’s history agrees with the ledger’s transfers to the last unit: table, picture and CSV", async () => {
    const paid = await transfersTo(stage, consumer, provider);
    const delivered = (await reader.get_transaction_history({ prosumer: consumer })).result.unwrap();
    const kwh = delivered.reduce((sum, { energy_delivered_kwh }) => sum + energy_delivered_kwh, 0n);
    // Of 9 kWh 5 were a compromise, of 7 a ruling gave 2.
    const accepted = kwh - 4n - 5n;
    await bob.open("history");
    await expect(bob.page.locator("[data-sum=boughtKwh]")).toHaveText(`${accepted} kWh`);
    await bob.page.locator(".chart svg").waitFor();
    await pictures(bob.page, "history-energy");
    await bob.page.getByText("money", { exact: true }).click();
    const shown = (await bob.page.locator("[data-sum=paid]").textContent()) ?? "";
    assert.equal(inUnits(shown.replace(" XLM", "")), paid);
    await bob.page.getByText("month", { exact: true }).click();
    await expect(bob.page.locator("[data-sum=paid]")).toHaveText(shown);
    await pictures(bob.page, "history-money");
    const download = bob.page.waitForEvent("download");
    await bob.press("Save all as CSV");
    const [head = [], ...lines] = readFileSync(await (await download).path(), "utf8")
      .trim()
      .split("\r\n")
      .map((line) => line.split(","));
    const sum = (name: string) => column(name).reduce((sum, one) => sum + BigInt(one), 0n);
    const column = (name: string) => lines.map((line) => line[head.indexOf(name)] ?? "");
    assert.equal(
      column("amount").reduce((sum, amount) => sum + inUnits(amount), 0n),
      paid,
    );
    assert.deepEqual([sum("energy_kwh"), sum("accepted_kwh")], [kwh, accepted]);
    assert.deepEqual(column("transaction").sort(), delivered.map(({ transaction_id }) => `"=""${transaction_id}"""`).sort());
    assert.ok(column("neighbour").every((name) => name === "Alice"));
  });

  test("Alice received what Bob paid", async () => {
    await alice.open("history");
    await alice.page.getByText("money", { exact: true }).click();
    const received = (await alice.page.locator("[data-sum=received]").textContent()) ?? "";
    assert.equal(inUnits(received.replace(" XLM", "")), await transfersTo(stage, consumer, provider));
  });

  test("all agreements are listed, by role", async () => {
    await bob.open("agreements");
    await bob.page.getByRole("link", { name: "You buy from Alice" }).first().waitFor();
    await expect(bob.page.locator(".agreement")).toHaveCount(4);
    await pictures(bob.page, "agreements");
    await bob.page.getByText("I sell", { exact: true }).click();
    await bob.sees("There are none yet.");
  });

  test("everything is there in German as well", async () => {
    await bob.page.getByLabel("Language / Sprache").selectOption("de");
    // It is remembered when its words have arrived.
    await bob.page.getByRole("heading", { level: 1, name: "Verträge" }).waitFor();
    await bob.open(`agreement/${first}`);
    await bob.sees("19 von 40 kWh geliefert");
    await bob.sees("0,1234567 XLM je kWh");
    await pictures(bob.page, "agreement-german");
    assert.equal(await bob.page.evaluate(() => document.documentElement.lang), "de");
  });

  test("the month has tried every rule of which it tells, against the contract", () => {
    const tried = [...rules.tried].sort();
    assert.deepEqual(tried, [
      "cancel",
      "cancel: fundedCancel",
      "close: arbitration",
      "compromise",
      "deliver",
      "deliver: meterRecords",
      "dispute",
      "dispute: ruledFinal",
      "draw",
      "draw: buyerPays",
      "draw: inReview",
      "fundMetered",
      "fundMetered: deliveryStarted",
      "fundReviewed",
      "fundReviewed: deliveryStarted",
      "giveIn",
      "pay",
      "refund",
      "refund: untilDeadline",
      "rule",
    ]);
  });

  test("no page broke its content security policy, and none asked anybody but its own server and the network", () => {
    // Bob has looked for the contract on Mainnet, which was out of reach.
    bob.complained(/ERR_FAILED/);
    for (const host of mainnetHosts) assert.ok(bob.hosts.delete(host), host);
    stage.check();
  });
});

/** What the token moved to a provider from a consumer or from the contract, by the token's own events: friendbot's gift is one as well. */
async function transfersTo(
  { network: { server }, contract: { tokenId, contractId } }: Stage,
  consumer: string,
  provider: string,
): Promise<bigint> {
  const filters = [{ type: "contract" as const, contractIds: [tokenId, contractId] }];
  const { oldestLedger } = await server.getHealth();
  let sum = 0n;
  let page = await server.getEvents({ startLedger: oldestLedger, filters, limit: 100 });
  for (;;) {
    for (const { topic, value } of page.events) {
      const [name, from, to] = topic.map((one) => scValToNative(one) as unknown);
      const paid = name === "transfer" && to === provider && (from === consumer || from === contractId);
      if (paid) sum += scValToNative(value) as bigint;
    }
    // A request looks through 10,000 ledgers, and the upper half of its cursor's first part is where it ended.
    const end = Number(BigInt(page.cursor.split("-")[0] ?? "") >> 32n);
    if (page.events.length < 100 && end >= page.latestLedger) return sum;
    page = await server.getEvents({ cursor: page.cursor, filters, limit: 100 });
  }
}

function inUnits(amount: string): bigint {
  const [whole = "", fraction = ""] = amount.replaceAll(",", "").split(".");
  return BigInt(whole + fraction.padEnd(7, "0"));
}
