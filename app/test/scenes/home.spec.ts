// Home as a list of what is to be done; offers, their answers and their links; members and names; and the books.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { expect } from "@playwright/test";
import { Keypair } from "@stellar/stellar-sdk";
import { Deposit } from "../../client/src/index.js";
import { Chain } from "../../src/chain/chain.js";
import { readMembers } from "../../src/chain/members.js";
import { findNetwork } from "../../src/chain/networks.js";
import type { Actor } from "../actor.js";
import type { Person } from "../person.js";
import { accessible, pictures } from "../pictures.js";
import { test } from "../scene.js";

// Many views are pictured, each four times.
test.describe.configure({ timeout: 120_000 });

const HOUR = 3600;
const DAY = 24 * HOUR;

const fund = (by: Actor, agreement_id: bigint, deposit = Deposit.Reviewed) =>
  by.act((client) => client.fund_agreement({ agreement_id, consumer: by.address, deposit }));

const deliver = (by: Actor, agreement_id: bigint, kwh: bigint, meter_reading: bigint) =>
  by.act((client) => client.deliver_energy({ agreement_id, energy_delivered_kwh: kwh, meter_reading, provider: by.address }));

const dispute = (by: Actor, transaction_id: bigint) => by.act((client) => client.dispute_transaction({ transaction_id, disputer: by.address }));

/** 9 kWh at 0.15, of which 5 are ruled to be paid, and paid. */
async function ruledAndPaid(seller: Actor, buyer: Actor, admin: Actor): Promise<bigint> {
  const id = await seller.offer(buyer);
  const delivery = await deliver(seller, id, 9n, 9n);
  await dispute(buyer, delivery);
  await admin.act((client) => client.resolve_dispute({ transaction_id: delivery, energy_accepted_kwh: 5n, resolver: admin.address }));
  await buyer.act((client) => client.settle_payment({ transaction_id: delivery, settler: buyer.address }));
  return id;
}

const saved = async (person: Person, button: string) => {
  const download = person.page.waitForEvent("download");
  await person.press(button);
  return readFileSync(await (await download).path(), "utf8");
};

/** Home lists these, in this order, once it has read what there is. */
async function isToDo(person: Person, ...tasks: string[]): Promise<void> {
  const listed = person.page.locator("[data-task]");
  await person.page.locator("#todo").waitFor();
  await expect(listed).toHaveCount(tasks.length);
  assert.deepEqual(await listed.evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.task)), tasks);
}

test("Home lists what is to be done by urgency, and the title counts it", async ({ actor, person, clock }) => {
  const [alice, bob] = [await actor(), await person("Bob", { registered: true })];
  // A deposit that is over: what is left of it is to be fetched back.
  const over = await alice.offer(bob, { kwh: 10n, days: 1n });
  await fund(bob.actor, over);
  await clock.advance(2 * DAY);
  // A bill of 6 kWh, of which 2 are disputed.
  const bill = await alice.offer(bob);
  await deliver(alice, bill, 4n, 4n);
  await dispute(bob.actor, await deliver(alice, bill, 2n, 6n));
  // A delivery from a deposit with review, and an offer.
  const reviewed = await alice.offer(bob);
  await fund(bob.actor, reviewed);
  await deliver(alice, reviewed, 9n, 15n);
  await alice.offer(bob, { kwh: 70n, days: 3n });

  await bob.open();
  await isToDo(bob, "look", "answer", "pay", "refund");
  assert.equal(await bob.page.title(), "(4) Home – Neighbours’ energy");
  await bob.sees(/^Look at delivery 1: 9 kWh from G/);
  await bob.sees(/^Until \d+ \w+ \d{4}, \d\d:\d\d CES?T \(in (23|24) hours\)\. Then the seller may draw/);
  await bob.sees(/^Pay 0\.60 XLM to G/);
  await bob.sees(/^Fetch back 1\.50 XLM/);
  await bob.sees(/^Answer the offer of G.*: 70 kWh$/);
  // 4 and 9 kWh; the disputed 2 are in no sum before a ruling.
  const month = await bob.page.locator("section", { hasText: "This month" }).innerText();
  assert.match(month, /Bought\s+13 kWh\s+It costs\s+1\.95 XLM/);
  await pictures(bob.page, "home-todo");

  const calendar = await saved(bob, "Remind me");
  assert.equal(calendar.match(/BEGIN:VEVENT/g)?.length, 4);
  assert.match(calendar, /TRIGGER:-PT120M/);
  const [, first = ""] = /DTSTART:(\d{8}T\d{6}Z)/.exec(calendar) ?? [];
  const expected = new Date((await clock.now()) * 1000 + DAY * 1000).toISOString().slice(0, 10).replaceAll("-", "");
  assert.equal(first.slice(0, 8), expected);

  await bob.page.getByRole("link", { name: /^Pay 0\.60/ }).click();
  await bob.sees("Everything that is open: 0.60 XLM");
  assert.equal(await bob.page.title(), `(4) Agreement ${bill} – Neighbours’ energy`);
  await bob.press("Pay the bill");
  await bob.signs("The bill is paid.", "0.60 XLM from you to");
  await bob.page.waitForFunction(() => document.title.startsWith("(3) "));
});

test("a seller draws what is due, and a household with nothing to do is told so", async ({ actor, person, clock }) => {
  const alice = await person("Alice", { registered: true, viewport: "phone", colorScheme: "dark", locale: "de-DE" });
  await alice.open();
  await alice.sees("Für Sie gibt es jetzt nichts zu tun.");
  assert.equal(await alice.page.title(), "Start – Nachbarstrom");
  await pictures(alice.page, "home-nothing-german");
  const bob = await actor();
  const id = await alice.actor.offer(bob);
  await fund(bob, id);
  await deliver(alice.actor, id, 9n, 9n);
  await alice.open();
  await isToDo(alice);
  await clock.advance(25 * HOUR);
  await alice.open();
  await alice.sees(/^1,35 XLM aus der Vorauszahlung von G.* abrufen$/);
  assert.equal(await alice.page.title(), "(1) Start – Nachbarstrom");
});

test("what somebody asks to sign waits on Home until it is signed", async ({ person, admin }) => {
  const [alice, judge] = [await person("Alice", { registered: true }), await person("Admin", { keypair: admin.keypair, funded: false })];
  await alice.open();
  await alice.page.getByText("Have a meter certified").click();
  await alice.fill("Address of the meter", Keypair.random().publicKey());
  await alice.fill("Its reading now (kWh)", "0");
  await alice.fill("Power of the plant (kW)", "7");
  await alice.press("Sign and make a link");
  const link = await alice.signsFirst();
  await judge.actor.register();
  await judge.follow(link);
  await judge.sees("for a plant of at most 7 kW");
  await judge.page.getByRole("link", { name: "Home" }).click();
  await judge.sees(/^Sign what G.* has signed$/);
  await judge.page.getByRole("link", { name: /^Sign what/ }).click();
  await judge.press("Check and sign");
  await judge.signs("The meter’s certificate was changed.");
  await judge.page.getByRole("link", { name: "Home" }).click();
  await judge.sees("There is nothing for you to do now.");
  await alice.open();
  await alice.sees("7 kW");
  // The same link once more.
  await judge.follow(link);
  await judge.press("Check and sign");
  await judge.dialog.getByText("This link was used already").waitFor();
  assert.doesNotMatch(await judge.dialog.innerText(), /HostError/);
});

test("a link that is opened in the place of one that was signed waits on Home by itself", async ({ person, admin }) => {
  const [alice, judge] = [await person("Alice", { registered: true }), await person("Admin", { keypair: admin.keypair, funded: false, registered: true })];
  const ask = async (kw: string) => {
    await alice.open();
    await alice.page.getByText("Have a meter certified").click();
    await alice.fill("Address of the meter", Keypair.random().publicKey());
    await alice.fill("Its reading now (kWh)", "0");
    await alice.fill("Power of the plant (kW)", kw);
    await alice.press("Sign and make a link");
    return alice.signsFirst();
  };
  const links = [await ask("7"), await ask("8")];
  await judge.follow(links[0] ?? "");
  await judge.press("Check and sign");
  await judge.signs("The meter’s certificate was changed.");
  // Only the fragment is another, so the browser loads nothing.
  await judge.page.evaluate((link) => location.assign(link), links[1] ?? "");
  await judge.sees("for a plant of at most 8 kW");
  await judge.page.getByRole("link", { name: "Home" }).click();
  await judge.sees(/^Sign what G.* has signed$/);
});

test("a filter that fits none of the newest says so, and there are none only where all were read", async ({ actor, person }) => {
  const [alice, bob] = [await actor(), await person("Bob", { registered: true })];
  for (let n = 0; n < 11; n++) await alice.offer(bob);
  await bob.open("agreements");
  await bob.page.getByText("I sell", { exact: true }).click();
  await bob.sees("There are none among the newest 10.");
  assert.doesNotMatch(await bob.text(), /There are none yet/);
  await bob.press("Show more");
  await bob.sees("There are none yet.");
});

test("an offer leaves an empty form, and its link as text and as a code; its name is asked for before it is kept", async ({ person, clock }) => {
  const alice = await person("Alice", { registered: true });
  const bob = await person("Bob", { registered: true, viewport: "phone" });
  await alice.open();
  await alice.fill("Your own name", "Alice");
  await alice.open(`offer/${bob.address}/Bob`);
  await alice.sees("The link calls this address “Bob”.");
  await alice.press("Keep the name Bob");
  await alice.fill("How much? (kWh)", "40");
  await alice.fill(/^Price per kWh/, "0.15");
  const day = new Date(((await clock.now()) + 10 * DAY) * 1000).toISOString().slice(0, 10);
  await alice.fill("Deliveries until", day);
  await alice.press("Make the offer");
  await alice.dialog.getByRole("button", { name: "Not now" }).click();
  assert.equal(await alice.page.getByLabel("How much? (kWh)").inputValue(), "40");
  await alice.press("Make the offer");
  await alice.signs("The offer is made.", "Offer Bob");
  await alice.sees("The offer is agreement 1.");
  for (const label of ["How much? (kWh)", /^Price per kWh/, "Deliveries until"]) assert.equal(await alice.page.getByLabel(label).inputValue(), "");
  await alice.page.getByRole("img", { name: "The link as a QR code" }).waitFor();
  await pictures(alice.page, "offer-made");
  const link = (await alice.page.locator("[data-link]").getAttribute("data-link")) ?? "";
  assert.ok(link.endsWith("#/agreement/1/Alice"), link);

  await bob.follow(link);
  await bob.sees("The link calls this address “Alice”.");
  assert.equal(await bob.page.getByRole("heading", { name: /^You buy from Alice/ }).count(), 0);
  await pictures(bob.page, "offer-followed");
  await bob.press("Keep the name Alice");
  await bob.page.getByRole("heading", { name: /^You buy from Alice/ }).waitFor();
  await bob.sees("No certified meter: the seller records deliveries by hand");
});

test("a buyer reads what each kind of payment allows before choosing, accepts with a bill, and declines", async ({ actor, person, admin }) => {
  const [alice, bob] = [await actor(), await person("Bob", { registered: true })];
  const meter = Keypair.random().publicKey();
  const [first, second] = [await alice.offer(bob), await alice.offer(bob)];
  await admin.certify(alice, { meter, power: 8n });
  await bob.open("agreements");
  await expect(bob.page.locator(".agreement.offer")).toHaveCount(2);
  await expect(bob.page.getByText("Offer, not answered")).toHaveCount(2);
  await bob.open(`agreement/${first}`);
  await bob.sees("Certified meter, at most 8 kW");
  const answers = bob.page.locator("section", { hasText: "Your answer to this offer" });
  assert.deepEqual(await answers.getByRole("button").allInnerTexts(), [
    "Accept, and pay the bill",
    "Pay a deposit, and look at each delivery",
    "Pay a deposit on which the meter draws",
    "Decline the offer",
  ]);
  assert.equal(await answers.locator("button.primary").count(), 0);
  await bob.sees("such a delivery cannot be disputed");
  await bob.sees("You deposit nothing, and sign nothing now.");
  await pictures(bob.page, "answer");
  await bob.press("Accept, and pay the bill");
  await bob.sees("You have accepted it, and pay the bill.");
  await bob.open();
  await isToDo(bob, "answer");
  await bob.open(`agreement/${second}`);
  await bob.press("Decline the offer");
  await bob.signs("The agreement has ended.", `End agreement ${second}`);
  await bob.open();
  await bob.sees("There is nothing for you to do now.");
});

test("an ended agreement is renewed with one press, and can be changed before", async ({ actor, person, contract }) => {
  const [bob, alice] = [await actor(), await person("Alice", { registered: true })];
  const id = await alice.actor.offer(bob, { kwh: 1234n, price: 1_500_000n, days: 20n });
  await alice.actor.act((client) => client.cancel_agreement({ agreement_id: id, canceller: alice.address }));
  await alice.open(`agreement/${id}`);
  await alice.press("The same again");
  await alice.page.getByLabel("How much? (kWh)").waitFor();
  assert.equal(await alice.page.getByLabel("How much? (kWh)").inputValue(), "1234");
  assert.equal(await alice.page.getByLabel(/^Price per kWh/).inputValue(), "0.15");
  await alice.fill("How much? (kWh)", "1000");
  await alice.press("Make the offer");
  await alice.signs("The offer is made.", "1,000 kWh at 0.15 XLM per kWh");
  const { agreement_id, created_at, delivery_deadline } = (
    await contract.client().get_agreement({ agreement_id: id + 1n })
  ).result.unwrap();
  assert.equal(agreement_id, id + 1n);
  const days = Number(delivery_deadline - created_at) / DAY;
  assert.ok(days >= 20 && days < 21, String(days));
});

test.describe(() => {
  test.use({ token: { asset: "EUR" } });
  test("what the meter recorded and the token refused is for the seller to draw, and in no review", async ({ person, actor, network, admin }) => {
    // Alice has no trustline, so the token refuses to pay her.
    const alice = await person("Alice", { funded: false });
    await network.fund(alice.address);
    await alice.actor.register();
    const [meter, bob] = [await actor({ registered: false }), await person("Bob", { registered: true })];
    await admin.certify(alice.actor, { meter: meter.address, power: 8n });
    const id = await alice.actor.offer(bob);
    await fund(bob.actor, id, Deposit.Metered);
    await meter.act((client) =>
      client.deliver_energy({ agreement_id: id, energy_delivered_kwh: 1n, meter_reading: 1n, provider: alice.address }),
    );
    await bob.open(`agreement/${id}`);
    await bob.sees("The meter recorded it: the seller may draw it");
    assert.equal(await bob.page.getByText(/Review (is over|ends)/).count(), 0);
    await bob.open();
    await isToDo(bob);
    await alice.open();
    await isToDo(alice, "draw");
  });
});

test("members are those of the ledger, and an address book travels as a file", async ({ actor, person, contract, rpc, admin }) => {
  const [alice, carol, dave] = [await actor(), await actor(), await actor()];
  const bob = await person("Bob", { registered: true });
  await admin.certify(alice, { meter: Keypair.random().publicKey(), reading: 12n, power: 9n });
  await alice.offer(bob);
  // Carol is in the second agreement of a seller only, and Dave in none.
  await alice.offer(carol);
  const place = findNetwork("local", rpc.rpcUrl);
  assert.ok(place);
  rpc.reset();
  const { found, registered } = await readMembers(new Chain({ network: place, contractId: contract.contractId }, { recall: () => undefined, remember: () => undefined }));
  assert.deepEqual([rpc.count(), registered, found.length], [4, 4n, 3]);
  for (const { address, ...read } of found) {
    const { number, agreements, meter, meter_reading, energy_sold_kwh, max_power_kw } = (
      await contract.client().get_prosumer({ prosumer: address })
    ).result.unwrap();
    const told = { number, agreements, meter: meter ?? undefined, meterReading: meter_reading, soldKwh: energy_sold_kwh, maxPowerKw: max_power_kw };
    assert.deepEqual(read, told);
  }
  await bob.open("members");
  await bob.sees("3 of 4 registered.");
  const shown = await bob.page.locator("[data-member]").evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.member));
  assert.deepEqual(shown, [alice.address, carol.address, bob.address]);
  assert.ok(!(await bob.text()).includes(dave.address));
  const card = bob.page.locator(`[data-member="${alice.address}"]`);
  assert.match(await card.innerText(), /certified, for a plant of at most 9 kW\s+Offers made\s+2/);

  await card.getByText("Change the name").click();
  await card.getByLabel(/^Name for G/).fill(" Alice\u202E <b> ");
  await card.getByRole("button", { name: "Save", exact: true }).click();
  await card.getByText("Alice <b>", { exact: true }).waitFor();
  await pictures(bob.page, "members");
  const file = await saved(bob, "Save names as a file");
  assert.deepEqual(JSON.parse(file), { names: { [alice.address]: "Alice <b>" } });
  const names = { names: { [alice.address]: "Other", [carol.address]: "Carol" } };
  const open = (text: string) =>
    bob.page.getByLabel("Open a file of names").setInputFiles({ name: "names.json", mimeType: "application/json", buffer: Buffer.from(text) });
  await open("{}");
  await bob.sees("This is not a file of names.");
  await open(JSON.stringify(names));
  await bob.sees("Names added: 1. Left as you have them: 1.");
  await bob.open("members");
  await bob.sees("Carol");
});

test("the admin sees members, meters with their power, open disputes and the contract's life", async ({ actor, person, admin }) => {
  const [alice, bob] = [await actor(), await actor()];
  const judge = await person("Admin", { keypair: admin.keypair, funded: false });
  const id = await alice.offer(bob);
  await dispute(bob, await deliver(alice, id, 3n, 3n));
  await admin.certify(alice, { meter: Keypair.random().publicKey(), reading: 3n, power: 11n });
  await judge.open("admin");
  assert.equal(await judge.page.title(), "Admin – Neighbours’ energy");
  await judge.sees(`Agreement ${id}, Delivery 1`);
  await judge.sees("2 of 2 registered.");
  await judge.sees(/Kept on the network for/);
  await judge.page.getByText("certified, for a plant of at most 11 kW").click();
  await judge.button("Retire the meter").waitFor();
  await judge.sees("Certified power");
  await pictures(judge.page, "admin");
});

test("a delivery of which 5 of 9 kWh were ruled says so, in card, sums and table, and German Excel opens the table as columns", async ({
  actor,
  person,
  admin,
}) => {
  const alice = await actor();
  const bob = await person("Bob", { registered: true });
  const id = await ruledAndPaid(alice, bob.actor, admin);
  await deliver(alice, id, 2n, 11n);
  await bob.open(`agreement/${id}`);
  await bob.press("Pay the bill");
  await bob.signs("The bill is paid.");
  assert.match(await bob.page.locator(".delivery").last().innerText(), /Paid\s+5 of 9 kWh\s+0\.75 XLM[^]*Ruled: the rest is not paid/);
  await pictures(bob.page, "agreement-ruled");
  await bob.open("history");
  await expect(bob.page.locator("[data-sum=boughtKwh]")).toHaveText("7 kWh");
  const [head = "", first = "", second = ""] = (await saved(bob, "Save all as CSV")).split("\r\n");
  assert.ok(head.startsWith("\uFEFFdate,time,time_zone,agreement,"));
  assert.match(first, /^\d{4}-\d\d-\d\d,\d\d:\d\d:\d\d,UTC\+0[12]:00,"=""\d+""","=""\d+""",,G\w{55},bought,9,5,0\.1500000,0\.7500000,XLM,Settled,[^,]+,,$/);
  // The browser knows hash and fee of what it sent itself.
  assert.match(second, /,bought,2,2,0\.1500000,0\.3000000,XLM,Settled,[^,]+,[0-9a-f]{64},0\.\d{7}$/);
  await bob.page.getByLabel("Language / Sprache").selectOption("de");
  const [, german = ""] = (await saved(bob, "Alles als CSV speichern")).split("\r\n");
  assert.match(german, /;bought;9;5;0,1500000;0,7500000;XLM;Settled;/);
});

test("history has a month, sums for each neighbour and a statement that prints on one page", async ({ actor, person, admin, clock }) => {
  const [alice, carol] = [await actor(), await actor()];
  const bob = await person("Bob", { registered: true });
  const name = { [alice.address]: "Alice" };
  // The first day of a month, so that all of it is one month's.
  const start = new Date((await clock.now()) * 1000);
  await clock.advance((Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1, 12) - start.getTime()) / 1000);
  const month = new Date((await clock.now()) * 1000).toISOString().slice(0, 7);
  await ruledAndPaid(alice, bob.actor, admin);
  const id = await alice.offer(bob, { kwh: 100n, days: 40n });
  let last = 0n;
  for (let n = 1n; n <= 28n; n++) {
    await clock.advance(DAY - HOUR);
    last = await deliver(alice, id, 2n, 9n + 2n * n);
  }
  await deliver(carol, await carol.offer(bob), 4n, 4n);
  await clock.advance(10 * DAY);
  await deliver(carol, await carol.offer(bob), 8n, 12n);
  await bob.open("members");
  await bob.page.evaluate((names) => localStorage.setItem("names", JSON.stringify(names)), name);
  await bob.open("history");
  await expect(bob.page.locator("[data-sum=boughtKwh]")).toHaveText("73 kWh");
  await bob.page.getByLabel("During").selectOption(month);
  await expect(bob.page.locator("[data-sum=boughtKwh]")).toHaveText("65 kWh");
  const neighbours = await bob.page.getByRole("region", { name: "By neighbour" }).locator("tbody tr").allInnerTexts();
  assert.deepEqual(
    neighbours.map((line) => line.replaceAll(/\s+/g, " ")),
    ["Alice 61 kWh Open", `${carol.address.slice(0, 5)}…${carol.address.slice(-4)} 4 kWh Open`],
  );
  await pictures(bob.page, "history-month");
  await bob.page.getByRole("link", { name: "Open" }).first().click();
  await bob.page.getByRole("heading", { name: /^Statement for/ }).waitFor();
  const text = await bob.text();
  for (const part of [alice.address, bob.address, "5 kWh", "0.75 XLM", "8.40 XLM"]) assert.ok(text.includes(part), `${part} in\n${text}`);
  await expect(bob.page.locator("[data-due]")).toHaveText("8.40 XLM");
  await bob.sees("Please pay by");
  await pictures(bob.page, "statement");
  await bob.page.emulateMedia({ media: "print" });
  assert.equal(await bob.page.getByRole("navigation").filter({ visible: true }).count(), 0);
  const pdf = (await bob.page.pdf({ format: "A4", margin: { top: "15mm", bottom: "15mm", left: "15mm", right: "15mm" } })).toString("latin1");
  assert.equal(pdf.match(/\/Type\s*\/Page\b/g)?.length, 1);
  await accessible(bob.page);
  // What is disputed is in neither sum before a ruling, and told beside what is due.
  await bob.page.emulateMedia({ media: "screen" });
  await dispute(bob.actor, last);
  await bob.page.reload();
  await bob.sees("Disputed, not due before a ruling");
  const line = (part: string) => bob.page.locator(`.statement ${part}`).last().innerText();
  assert.match(await line("tbody tr"), /2 kWh\s+–\s+0\.15 XLM\s+–\s+Disputed/);
  assert.match(await line("tfoot tr"), /65 kWh\s+59 kWh\s+8\.85 XLM/);
  await expect(bob.page.locator("[data-due]")).toHaveText("8.10 XLM");
  await bob.sees("0.30 XLM");
});
