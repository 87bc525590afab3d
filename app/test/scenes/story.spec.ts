// What becomes of a call after a press of a button: on networks in trouble, with wallets that do not answer, and people who do not wait.

import assert from "node:assert/strict";
import { TransactionBuilder } from "@stellar/stellar-sdk";
import { expect, type Page } from "@playwright/test";
import type { Actor } from "../actor.js";
import type { Person } from "../person.js";
import { accessible, pictures } from "../pictures.js";
import { behind, change, delay, dropAfter, dropBefore, hang, status, type RpcProxy } from "../proxy.js";
import { test as base } from "../scene.js";
import { xlmBalance } from "../token.js";

/** Bob owes Alice 1.35 XLM for 9 kWh. */
interface Bill {
  alice: Actor;
  bob: Person;
  agreement: bigint;
  /** What Alice has received from Bob, in stroops. */
  received: () => Promise<bigint>;
}

const test = base.extend<{ bill: Bill }>({
  bill: async ({ actor, person, network }, use) => {
    const [alice, bob] = [await actor(), await person("Bob", { registered: true })];
    const agreement = await alice.offer(bob);
    await delivers(alice, agreement, 9n);
    const before = await xlmBalance(network, alice.address);
    await bob.context.addInitScript((address) => {
      if (location.protocol === "http:") localStorage.setItem("names", JSON.stringify({ [address]: "Alice" }));
    }, alice.address);
    await use({ alice, bob, agreement, received: async () => (await xlmBalance(network, alice.address)) - before });
  },
});

const delivers = (seller: Actor, agreement_id: bigint, kwh: bigint, meter_reading = kwh) =>
  seller.act((client) => client.deliver_energy({ agreement_id, energy_delivered_kwh: kwh, meter_reading, provider: seller.address }));

const BILL = 13_500_000n;
const paid = /1\.35 XLM to Alice \(G\w{4}…\w{4}\) for agreement 1$/m;
const mayStill = /It may still go through until (\d\d:\d\d)\./;
const lost = /ERR_EMPTY_RESPONSE|ERR_CONNECTION|503/;

const banner = (page: Page) => page.getByRole("region", { name: "What you signed" });
const inDialog = (bob: Person, name: string) => bob.dialog.getByRole("button", { name, exact: true });

/** Opens the agreement and presses the button that pays the bill. */
async function pays({ bob, agreement }: Bill): Promise<void> {
  await bob.open(`agreement/${agreement}`);
  await bob.press("Pay the bill");
}

/** Signs what pays the bill. */
async function signsBill(bill: Bill): Promise<void> {
  await pays(bill);
  await inDialog(bill.bob, "Sign").click();
}

/** Takes Bob away from the page as a closed tab does. */
const closesTab = ({ bob }: Bill) => bob.page.goto("about:blank");

/** What Bob owes stays to be paid. */
const endsAgreement = ({ bob, agreement }: Bill) =>
  bob.actor.act((client) => client.cancel_agreement({ agreement_id: agreement, canceller: bob.address }));

const sentTransactions = (rpc: RpcProxy) =>
  rpc.asked.flatMap(({ method, params }) => (method === "sendTransaction" ? [String(params.transaction)] : []));

test("the end names the amount, the neighbour, the agreement and the transaction, and the network is bid no more than was shown", async ({ bill, rpc, network }) => {
  const { bob } = bill;
  await signsBill(bill);
  await bob.dialog.getByText("The bill is paid.").waitFor();
  const text = await bob.dialog.innerText();
  assert.match(text, paid);
  const [sent = "", ...more] = sentTransactions(rpc);
  assert.equal(more.length, 0);
  const transaction = TransactionBuilder.fromXdr(sent, network.passphrase);
  const hash = Buffer.from(transaction.hash()).toString("hex");
  assert.ok(text.includes(hash));
  assert.equal(await bob.dialog.locator(`a[href*="${hash}"]`).count(), 0);
  await pictures(bob.page, "done-with-hash");
  await inDialog(bob, "Close").click();
  await bob.button("Pay the bill").waitFor({ state: "detached" });
  assert.equal(await bill.received(), BILL);
});

test("no more is bid than the review has shown", async ({ bill, rpc, network }) => {
  const { bob } = bill;
  await pays(bill);
  const [, most = ""] = /At most ([\d.]+) XLM/.exec(await bob.review()) ?? [];
  await inDialog(bob, "Sign").click();
  await bob.dialog.getByText("The bill is paid.").waitFor();
  const [sent = ""] = sentTransactions(rpc);
  const { fee } = TransactionBuilder.fromXdr(sent, network.passphrase);
  // It is shown rounded up to four decimals.
  assert.equal(Math.ceil(Number(fee) / 1000), Math.round(Number(most) * 1e4));
});

test("lost before the network has it: it is not sent again by itself, not even by a reload, but when the person says so", async ({ bill, rpc }) => {
  const { bob } = bill;
  rpc.on("sendTransaction", dropBefore);
  await signsBill(bill);
  await bob.dialog.getByText(mayStill).waitFor();
  await bob.dialog.getByText("Nothing else can be signed").waitFor();
  await pictures(bob.page, "signed-unknown");
  rpc.off();
  rpc.reset();
  await bob.open("history");
  await banner(bob.page).getByText(mayStill).waitFor();
  await bob.page.waitForTimeout(4000);
  assert.equal(rpc.count("sendTransaction"), 0);
  assert.equal(await bob.dialog.count(), 0);
  assert.equal(await bill.received(), 0n);
  await pictures(bob.page, "signed-banner");
  await banner(bob.page).getByRole("button", { name: "Send it again" }).click();
  await banner(bob.page).getByText(paid).waitFor();
  assert.equal(rpc.count("sendTransaction"), 1);
  assert.equal(await bill.received(), BILL);
  await accessible(bob.page);
  await banner(bob.page).getByRole("link", { name: "Agreement 1" }).click();
  await bob.button("Pay the bill").waitFor({ state: "detached" });
  assert.equal(await banner(bob.page).count(), 0);
  bob.complained(lost);
});

test("lost after the network has it: the page finds it without sending it again", async ({ bill, rpc }) => {
  const { bob } = bill;
  rpc.on("sendTransaction", dropAfter);
  await signsBill(bill);
  await bob.dialog.getByText(paid).waitFor();
  assert.equal(new Set(sentTransactions(rpc)).size, 1);
  assert.equal(await bill.received(), BILL);
  bob.complained(lost);
});

test("repeated on its way, it is not taken for refused because it has used its number itself", async ({ bill, rpc }) => {
  const { bob } = bill;
  rpc.on("sendTransaction", async (_, forward) => {
    await forward();
    await bob.page.waitForTimeout(6000);
    return forward();
  });
  await signsBill(bill);
  await bob.dialog.getByText(paid).waitFor();
  assert.equal(await bill.received(), BILL);
});

test("the network is lost while it is sent: the page can be used, and tells the end over another view", async ({ bill, rpc }) => {
  const { bob } = bill;
  rpc.on("getTransaction", status(503));
  await signsBill(bill);
  await bob.dialog.getByText("The network does not answer now.").waitFor();
  await inDialog(bob, "Close").click();
  await bob.page.getByRole("link", { name: "History" }).click();
  await banner(bob.page).getByText(mayStill).waitFor();
  rpc.off();
  await banner(bob.page).getByText(paid).waitFor();
  assert.ok((await bob.text()).includes("History"));
  await banner(bob.page).getByRole("button", { name: "Close" }).click();
  assert.equal(await banner(bob.page).count(), 0);
  assert.equal(await bill.received(), BILL);
  bob.complained(lost);
});

test("left to lapse, it is said to have come to nothing only when a ledger has closed after its time; then it can be tried again", async ({ bill, rpc, clock }) => {
  const { bob } = bill;
  rpc.on("sendTransaction", dropBefore);
  await signsBill(bill);
  await inDialog(bob, "Let it lapse").click();
  await banner(bob.page).getByText("You let it lapse. It may still go through until").waitFor();
  // A press of a view’s button says what has to end first.
  await bob.press("Pay the bill");
  await bob.dialog.getByText("Nothing else can be signed").waitFor();
  await inDialog(bob, "Close").click();
  rpc.off();
  await clock.advance(290);
  await bob.page.waitForTimeout(4000);
  await banner(bob.page).getByText("It may still go through until").waitFor();
  await clock.advance(30);
  await banner(bob.page).getByText("Nothing happened, and nothing was paid.").waitFor();
  await pictures(bob.page, "lapsed");
  await banner(bob.page).getByRole("button", { name: "Try again" }).click();
  await inDialog(bob, "Sign").click();
  await bob.dialog.getByText(paid).waitFor();
  assert.equal(await bill.received(), BILL);
  bob.complained(lost);
});

/** As a network that keeps no records older than its newest ledger. */
const forgetful = change((result) => {
  const { latestLedger, latestLedgerCloseTime } = result;
  return { status: "NOT_FOUND", latestLedger, latestLedgerCloseTime, oldestLedger: latestLedger, oldestLedgerCloseTime: latestLedgerCloseTime };
});

test("what the network has forgotten is told from the contract’s records", async ({ bill, rpc, clock }) => {
  const { bob } = bill;
  rpc.on("getTransaction", hang);
  await signsBill(bill);
  await bob.dialog.getByText("It is signed and sent.").waitFor();
  await closesTab(bill);
  await clock.advance(400);
  rpc.on("getTransaction", forgetful);
  await bob.open();
  await banner(bob.page).getByText("but the records show it.").waitFor();
  await banner(bob.page).getByRole("link", { name: "Agreement 1" }).waitFor();
  assert.equal(await bill.received(), BILL);
  assert.equal(rpc.count("sendTransaction"), 1);
});

test("what the network has forgotten and no record shows is not known, or came to nothing if the account has not used its number", async ({ bill, rpc, clock }) => {
  const { bob } = bill;
  rpc.on("sendTransaction", dropBefore);
  await signsBill(bill);
  await bob.dialog.getByText(mayStill).waitFor();
  await closesTab(bill);
  await clock.advance(400);
  rpc.on("getTransaction", forgetful);
  await bob.open();
  await banner(bob.page).getByText("Nothing happened, and nothing was paid.").waitFor();

  await signsBill(bill);
  await bob.dialog.getByText(mayStill).waitFor();
  await closesTab(bill);
  // He uses the number for something else, in another browser.
  await endsAgreement(bill);
  await clock.advance(400);
  await bob.open("history");
  await banner(bob.page).getByText("It is not known any more whether it went through").waitFor();
  await pictures(bob.page, "forgotten");
  await banner(bob.page).getByRole("link", { name: "Agreement 1" }).click();
  await bob.button("Pay the bill").waitFor();
  assert.equal(await banner(bob.page).count(), 0);
  assert.equal(await bill.received(), 0n);
  bob.complained(lost);
});

test("a wallet that does not answer is not waited for, and what it signs late is thrown away", async ({ bill, rpc }) => {
  const { bob } = bill;
  let closes = () => {};
  bob.freighter.open = new Promise((resolve) => (closes = resolve));
  await signsBill(bill);
  await bob.dialog.getByText("Your wallet opens").waitFor();
  await pictures(bob.page, "asking-wallet");
  await inDialog(bob, "Stop waiting").click();
  await banner(bob.page).getByText("Nothing was sent").waitFor();
  await pictures(bob.page, "stopped");
  closes();
  await bob.page.waitForTimeout(1000);
  assert.equal(rpc.count("sendTransaction"), 0);
  await banner(bob.page).getByRole("button", { name: "Try again" }).click();
  await inDialog(bob, "Sign").click();
  await bob.dialog.getByText(paid).waitFor();
  assert.equal(await bill.received(), BILL);
});

/** Brings a call into each stage in which the page waits or shows something. */
const stages: Record<string, (bill: Bill, rpc: RpcProxy) => Promise<void>> = {
  async simulating(bill, rpc) {
    await bill.bob.open(`agreement/${bill.agreement}`);
    rpc.on("getFeeStats", hang);
    await bill.bob.press("Pay the bill");
    await bill.bob.dialog.getByText("Loading").waitFor();
    rpc.off();
  },
  async review(bill) {
    await pays(bill);
    await bill.bob.review();
  },
  async asking(bill) {
    bill.bob.freighter.open = new Promise(() => undefined);
    await signsBill(bill);
    await bill.bob.dialog.getByText("Your wallet opens").waitFor();
    bill.bob.freighter.open = Promise.resolve();
  },
  async sending(bill, rpc) {
    rpc.on("sendTransaction", delay(3000));
    await signsBill(bill);
    await bill.bob.dialog.getByText("It is signed and sent.").waitFor();
  },
  async sent(bill, rpc) {
    rpc.on("getTransaction", delay(3000));
    await signsBill(bill);
    await bill.bob.dialog.getByText("It is signed and sent.").waitFor();
  },
  async unknown(bill, rpc) {
    rpc.on("sendTransaction", dropAfter);
    rpc.on("getTransaction", dropBefore);
    await signsBill(bill);
    await bill.bob.dialog.getByText(mayStill).waitFor();
  },
};

/** What must be there after the person has left any stage: either the end of what was signed, or a button that leads on. */
async function comesToItsEnd({ bob, received }: Bill, rpc: RpcProxy): Promise<void> {
  rpc.off();
  const end = banner(bob.page).getByText(paid);
  const button = bob.button("Pay the bill");
  await end.or(button).first().waitFor();
  const { signed } = await bob.page.evaluate(() => ({ signed: Object.keys(localStorage).some((key) => key.startsWith("signed ")) }));
  if (signed || (await end.count()) > 0) {
    await end.waitFor();
  } else {
    await button.click();
    await inDialog(bob, "Sign").click();
    await bob.dialog.getByText(paid).waitFor();
  }
  assert.equal(await received(), BILL);
  assert.equal(new Set(sentTransactions(rpc)).size, 1);
}

for (const [stage, reach] of Object.entries(stages)) {
  test(`Escape, pressed three times, leaves “${stage}” with a way on`, async ({ bill, rpc }) => {
    await reach(bill, rpc);
    for (let n = 0; n < 3; n++) await bill.bob.page.keyboard.press("Escape");
    await bill.bob.dialog.waitFor({ state: "hidden" });
    await comesToItsEnd(bill, rpc);
    bill.bob.complaints.splice(0, Infinity, ...bill.bob.complaints.filter((text) => !lost.test(text)));
  });

  test(`a reload in “${stage}” leaves a way on`, async ({ bill, rpc }) => {
    await reach(bill, rpc);
    await bill.bob.open(`agreement/${bill.agreement}`);
    assert.equal(await bill.bob.dialog.count(), 0);
    await comesToItsEnd(bill, rpc);
    bill.bob.complaints.splice(0, Infinity, ...bill.bob.complaints.filter((text) => !lost.test(text)));
  });
}

test("back leads out of the dialog, and the buttons of the view go on working", async ({ bill }) => {
  const { bob, agreement } = bill;
  await bob.open("agreements");
  await bob.page.getByRole("link", { name: /You buy from/ }).click();
  await bob.press("Pay the bill");
  await bob.review();
  await bob.page.goBack();
  await bob.dialog.waitFor({ state: "hidden" });
  assert.ok((await bob.text()).includes("My agreements"));
  await bob.page.goForward();
  assert.ok(bob.page.url().endsWith(`agreement/${agreement}`));
  await bob.press("Pay the bill");
  await bob.review();
});

test("a second tab sees what the first has signed, and signs nothing at the same time", async ({ bill, rpc }) => {
  const { bob, agreement, received } = bill;
  await pays(bill);
  await bob.review();
  const second = await bob.context.newPage();
  await second.goto(bob.page.url());
  await second.getByRole("button", { name: "Pay the bill" }).click();
  await second.getByRole("dialog").getByRole("button", { name: "Sign", exact: true }).waitFor();

  // While the first waits for the wallet, the second asks no other signature.
  let closes = () => {};
  bob.freighter.open = new Promise((resolve) => (closes = resolve));
  await inDialog(bob, "Sign").click();
  await bob.dialog.getByText("Your wallet opens").waitFor();
  await second.getByRole("dialog").getByRole("button", { name: "Sign", exact: true }).click();
  await second.getByText("You are signing in another window or tab").waitFor();
  await second.getByRole("dialog").getByRole("button", { name: "Try again" }).click();
  await second.getByRole("dialog").getByRole("button", { name: "Sign", exact: true }).waitFor();

  // As soon as the first has signed, the second shows that instead of its own.
  rpc.on("sendTransaction", dropBefore);
  closes();
  await bob.dialog.getByText(mayStill).waitFor();
  await second.getByRole("dialog").getByText("It is signed and sent.").waitFor();
  await second.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await second.getByRole("button", { name: "Pay the bill" }).click();
  await second.getByRole("dialog").getByText("It is signed and sent.").waitFor();
  assert.equal(new Set(sentTransactions(rpc)).size, 1);
  rpc.off();
  await inDialog(bob, "Send it again").click();
  await bob.dialog.getByText(paid).waitFor();
  await second.getByText(paid).waitFor();
  assert.equal(await received(), BILL);
  assert.ok(second.url().endsWith(`agreement/${agreement}`));
  bob.complained(lost);
});

for (const [what, hours] of [["slow", -1], ["fast", 1]] as const)
  test(`on a device whose clock is an hour ${what}, times are those of its own clock, and everything can be signed`, async ({ bill, rpc }) => {
    const { bob } = bill;
    await bob.page.clock.setSystemTime(Date.now() + hours * 3_600_000);
    rpc.on("sendTransaction", dropBefore);
    await signsBill(bill);
    const [, until = ""] = mayStill.exec(await bob.dialog.getByText(mayStill).innerText()) ?? [];
    const shown = await bob.page.evaluate(() => new Date().toLocaleTimeString("en-GB", { timeStyle: "short" }));
    const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
    const left = (minutes(until) - minutes(shown) + 1440) % 1440;
    assert.ok(left >= 3 && left <= 6, `${until} at ${shown}`);
    rpc.off();
    await inDialog(bob, "Send it again").click();
    await bob.dialog.getByText(paid).waitFor();
    assert.equal(await bill.received(), BILL);
    bob.complained(lost);
  });

test("refused at the door it costs nothing, and is simulated again once by itself", async ({ bill, rpc }) => {
  const { bob } = bill;
  await pays(bill);
  await bob.review();
  // He uses the number for something else, in another browser.
  await endsAgreement(bill);
  await inDialog(bob, "Sign").click();
  await bob.dialog.getByText("The first try cost nothing.").waitFor();
  await pictures(bob.page, "review-again");
  await inDialog(bob, "Sign").click();
  await bob.dialog.getByText(paid).waitFor();
  assert.equal(rpc.count("sendTransaction"), 2);
});

test("an RPC that is an hour behind: what is signed by its clock lapses, and that is said", async ({ bill, rpc }) => {
  const { bob } = bill;
  await pays(bill);
  await bob.review();
  rpc.on("getLatestLedger", behind(3600));
  await inDialog(bob, "Sign").click();
  // It comes too late for the network, which the page takes for an end only when a ledger has closed without it.
  await bob.dialog.getByRole("heading", { name: "Signed, but its end is not known yet" }).waitFor();
  rpc.off();
  await bob.dialog.getByText("The time in which it could go through is over, and no ledger has it.").waitFor();
  await inDialog(bob, "Try again").click();
  await inDialog(bob, "Sign").click();
  await bob.dialog.getByText(paid).waitFor();
  assert.equal(await bill.received(), BILL);
});

test("failed in the ledger it costs its fee, which is said before it is signed again", async ({ bill }) => {
  const { bob, alice, agreement } = bill;
  await pays(bill);
  await bob.review();
  await delivers(alice, agreement, 1n, 10n);
  const before = await bill.received();
  await inDialog(bob, "Sign").click();
  await bob.dialog.getByText(/The first try cost its fee, 0\.\d+ XLM, and nothing else\./).waitFor();
  await inDialog(bob, "Sign").click();
  await bob.dialog.getByText(paid).waitFor();
  assert.equal((await bill.received()) - before, BILL);
});

test("a call that is refused has the view behind it read again", async ({ bill }) => {
  const { bob, agreement } = bill;
  await bob.open(`agreement/${agreement}`);
  await bob.button("Pay the bill").waitFor();
  // The first delivery has the agreement's own number.
  await bob.actor.act((client) => client.settle_agreement({ agreement_id: agreement, through: agreement, settler: bob.address }));
  await bob.press("Pay the bill");
  await bob.dialog.getByText("Nothing is open here that can be settled now.").waitFor();
  await inDialog(bob, "Close").click();
  // It would read again by itself within half a minute.
  await bob.button("Pay the bill").waitFor({ state: "detached", timeout: 5000 });
});

test("what was signed belongs to its account: another does not see it, and it waits for its own", async ({ bill, rpc }) => {
  const { bob } = bill;
  rpc.on("sendTransaction", dropBefore);
  await signsBill(bill);
  await bob.dialog.getByText(mayStill).waitFor();
  rpc.off();
  await bob.open();
  await banner(bob.page).waitFor();
  await bob.press("Disconnect");
  await banner(bob.page).waitFor({ state: "detached" });
  await bob.press("Connect Freighter");
  await banner(bob.page).getByText(mayStill).waitFor();
  bob.complained(lost);
});

test("on a narrow screen with large text, reading begins at the top, and what moves is passed on the way to “Sign”", async ({ bill }) => {
  const { bob, agreement } = bill;
  await bob.page.setViewportSize({ width: 320, height: 640 });
  await bob.open(`agreement/${agreement}`);
  await bob.page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
  await bob.press("Pay the bill");
  const sign = inDialog(bob, "Sign");
  await sign.waitFor();
  await expect(bob.dialog.getByRole("heading")).toBeFocused();
  await expect(bob.dialog.getByRole("heading")).toBeInViewport();
  await expect(sign).not.toBeInViewport();
  const moves = await bob.dialog.getByText(/^1\.35 XLM from you/).boundingBox();
  const button = await sign.boundingBox();
  assert.ok(moves && button && moves.y + moves.height < button.y);
  await accessible(bob.page);
});

test("what the operator pays for the contract goes the same way: a closed wallet, an end that is not known, a second tab, a forgotten time", async ({
  person,
  admin,
  rpc,
  clock,
}) => {
  const operator = await person("Operator", { keypair: admin.keypair, funded: false });
  let closes = () => {};
  operator.freighter.open = new Promise((resolve) => (closes = resolve));
  await operator.open();
  await operator.press("Extend the contract’s time");
  await inDialog(operator, "Sign").click();
  await operator.dialog.getByText("Your wallet opens").waitFor();
  await inDialog(operator, "Stop waiting").click();
  await banner(operator.page).getByText("Nothing was sent").waitFor();
  closes();
  await operator.page.waitForTimeout(1000);
  assert.equal(rpc.count("sendTransaction"), 0);

  await banner(operator.page).getByRole("button", { name: "Try again" }).click();
  rpc.on("sendTransaction", dropBefore);
  await inDialog(operator, "Sign").click();
  await operator.dialog.getByText(mayStill).waitFor();
  await pictures(operator.page, "extend-unknown");
  const second = await operator.context.newPage();
  await second.goto(operator.page.url());
  await second.getByRole("button", { name: "Extend the contract’s time" }).click();
  await second.getByRole("dialog").getByText("Nothing else can be signed").waitFor();
  await second.close();

  rpc.off();
  rpc.on("getTransaction", hang);
  await inDialog(operator, "Send it again").click();
  await operator.dialog.getByText("It is signed and sent.").waitFor();
  await operator.page.goto("about:blank");
  await clock.advance(400);
  rpc.on("getTransaction", forgetful);
  await operator.open("history");
  await banner(operator.page).getByText("but the records show it.").waitFor();
  assert.match(await banner(operator.page).innerText(), /for the contract and its code to stay on the network/);
  assert.equal(new Set(sentTransactions(rpc)).size, 1);
  operator.complained(lost);
});

test.describe(() => {
  test.use({ token: { asset: "EUR" } });
  test("to accept the token goes the same way, and is told from the account where the network has forgotten", async ({ person, network, rpc, clock }) => {
    const bob = await person("Bob", { funded: false });
    await network.fund(bob.address);
    await bob.open();
    rpc.on("sendTransaction", dropBefore);
    await bob.press("Accept EUR");
    await inDialog(bob, "Sign").click();
    await bob.dialog.getByText(mayStill).waitFor();
    rpc.off();
    rpc.on("getTransaction", hang);
    await inDialog(bob, "Send it again").click();
    await bob.dialog.getByText("It is signed and sent.").waitFor();
    await bob.page.goto("about:blank");
    await clock.advance(400);
    rpc.on("getTransaction", forgetful);
    await bob.open();
    await banner(bob.page).getByText("but the records show it.").waitFor();
    assert.match(await banner(bob.page).innerText(), /hold and receive EUR/);
    assert.equal(await bob.button("Accept EUR").count(), 0);
    bob.complained(lost);
  });
});

test("a form keeps what was typed until the call has gone through; an offer leads on to its agreement", async ({ actor, person }) => {
  const [bob, alice] = [await actor(), await person("Alice", { registered: true })];
  await alice.open(`offer/${bob.address}`);
  await alice.fill("How much? (kWh)", "40");
  await alice.fill(/^Price per kWh/, "0.15");
  const day = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
  await alice.fill("Deliveries until", day);
  await alice.press("Make the offer");
  await alice.review();
  await inDialog(alice, "Not now").click();
  const kwh = alice.page.getByLabel("How much? (kWh)");
  assert.equal(await kwh.inputValue(), "40");
  await alice.press("Make the offer");
  await inDialog(alice, "Sign").click();
  await alice.dialog.getByText("The offer is made.").waitFor();
  assert.equal(await kwh.inputValue(), "");
  assert.equal(await alice.page.locator("[aria-invalid]").count(), 0);
  await pictures(alice.page, "offer-made");
  await alice.dialog.getByRole("link", { name: "Agreement 1" }).click();
  await alice.sees("Record a delivery");

  await alice.fill("Delivered energy (kWh)", "9");
  await alice.fill("Meter reading (kWh)", "9");
  await alice.press("Record a delivery");
  await alice.review();
  await inDialog(alice, "Not now").click();
  const delivered = alice.page.getByLabel("Delivered energy (kWh)");
  assert.equal(await delivered.inputValue(), "9");
  await alice.press("Record a delivery");
  await alice.signs("The delivery is recorded.");
  assert.equal(await delivered.inputValue(), "");
});
