// What goes wrong, and what a person is told then.

import assert from "node:assert/strict";
import { Asset, Keypair, Networks, Operation } from "@stellar/stellar-sdk";
import type { Page } from "@playwright/test";
import { submit, type Contract } from "../../neighbourhood/network.js";
import type { Person } from "../person.js";
import { pictures } from "../pictures.js";
import { dropBefore } from "../proxy.js";
import { test } from "../scene.js";

const isRegistered = async (contract: Contract, { address }: Person) =>
  (await contract.client().get_prosumer({ prosumer: address })).result.isOk();

test("no wallet is there", async ({ person }) => {
  const dave = await person("Dave", { wallet: "none" });
  await dave.open();
  await dave.press("Connect Freighter");
  await dave.sees("Freighter was not found in this browser.");
});

test("the wallet is locked when it is connected", async ({ person }) => {
  const carol = await person("Carol", { connected: false });
  carol.freighter.locked = true;
  await carol.open();
  await carol.press("Connect Freighter");
  await carol.sees("Your wallet is locked or shares no account.");
  await pictures(carol.page, "wallet-locked");
});

test("the person declines to connect", async ({ person }) => {
  const carol = await person("Carol", { connected: false });
  carol.freighter.refuses = true;
  await carol.open();
  await carol.press("Connect Freighter");
  await carol.sees("You declined in your wallet.");
  carol.freighter.refuses = false;
  await carol.press("Connect Freighter");
  await carol.sees("10,000.00 XLM");
});

test("the person declines to sign: nothing happened, and the next try goes on from there", async ({ person, contract }) => {
  const carol = await person("Carol");
  await carol.open();
  carol.freighter.refuses = true;
  await carol.press("Register");
  assert.ok((await carol.sign()).includes("You declined in your wallet. Nothing happened"));
  await pictures(carol.page, "declined");
  carol.freighter.refuses = false;
  await carol.dialog.getByRole("button", { name: "Try again" }).click();
  await carol.review();
  await carol.dialog.getByRole("button", { name: "Not now" }).click();
  assert.equal(await isRegistered(contract, carol), false);
});

test("the wallet is locked when it shall sign", async ({ person }) => {
  const carol = await person("Carol");
  await carol.open();
  await carol.sees("10,000.00 XLM");
  carol.freighter.locked = true;
  await carol.press("Register");
  await carol.sees("Your wallet is locked or shares no account.");
  await carol.closeDialog();
});

test("the wallet is on another network: the page says so at once, and signs nothing", async ({ person, network }) => {
  const carol = await person("Carol");
  await carol.open();
  await carol.sees("10,000.00 XLM");
  carol.freighter.networkPassphrase = Networks.PUBLIC;
  await carol.sees("Your wallet is on another network. Open it and choose: This computer.");
  await pictures(carol.page, "wrong-network");
  await carol.press("Register");
  await carol.sees("Your wallet is on another network. Choose this community’s network");
  await carol.closeDialog();
  carol.freighter.networkPassphrase = network.passphrase;
  await carol.page.getByText("Open it and choose").waitFor({ state: "detached" });
});

test("the connection is lost while it is read", async ({ person, rpc }) => {
  const carol = await person("Carol", { registered: true });
  await carol.open();
  rpc.on("*", dropBefore);
  await carol.page.reload();
  await carol.sees("The network cannot be reached.");
  rpc.off();
  await carol.press("Try again");
  await carol.sees("Registered");
  carol.complained(/ERR_EMPTY_RESPONSE/);
});

test("a form outlives a reload", async ({ person }) => {
  const carol = await person("Carol", { registered: true });
  await carol.open("offer");
  await carol.fill("How much? (kWh)", "77");
  await carol.page.reload();
  assert.equal(await carol.page.getByLabel("How much? (kWh)").inputValue(), "77");
});

test("the contract’s errors are told by name and advice", async ({ person }) => {
  const carol = await person("Carol", { registered: true });
  await carol.open("agreement/999000001");
  await carol.sees("There is no agreement with this number.");
  await carol.open("sign/AAAA");
  await carol.sees("This link is incomplete, was changed, or is not for this community.");
});

test("what comes in a link is never markup", async ({ person }) => {
  const carol = await person("Carol", { registered: true });
  await carol.open(`offer/${encodeURIComponent("<img src=x onerror=alert(1)>")}`);
  assert.equal(await carol.page.locator("main img").count(), 0);
});

test("too little XLM for the fee", async ({ person, network, admin }) => {
  const erin = await person("Erin", { connected: false });
  // She keeps what an account must hold, and next to nothing for fees.
  const gift = Operation.payment({ destination: admin.address, asset: Asset.native(), amount: "9998.9999" });
  await submit(network, [gift], [erin.actor.keypair]);
  await erin.open();
  await erin.press("Connect Freighter");
  await erin.press("Register");
  assert.ok((await erin.sign()).includes("You have too little XLM for the fee."));
});

test("a play link signs its own tab in, sends its key nowhere, and the browser remembers nobody", async ({ person, stage }) => {
  const carol = await person("Carol");
  await carol.open();
  const remembered = () => carol.page.evaluate(() => JSON.stringify(localStorage));
  const before = await remembered();
  assert.ok(before.includes("freighter"));
  const [one, two] = [Keypair.random(), Keypair.random()];
  const sent: string[] = [];
  carol.context.on("request", (request) => sent.push(request.url() + (request.postData() ?? "")));
  const open = async (keypair: Keypair) => {
    const page = await carol.context.newPage();
    await page.goto(`${stage.siteUrl}${stage.query}#/play/${keypair.secret()}/history`);
    await page.getByText("play key, this machine’s network only").waitFor();
    assert.equal(page.url(), `${stage.siteUrl}${stage.query}#/history`);
    return page;
  };
  const played = async (page: Page) => {
    await page.evaluate(() => void (location.hash = "#/home"));
    await page.getByText("The play key is in this tab only.").waitFor();
    return page.locator(".account .address").textContent();
  };
  const [first, second] = [await open(one), await open(two)];
  assert.deepEqual([await played(first), await played(second)], [one.publicKey(), two.publicKey()]);
  await pictures(first, "play");
  const other = Keypair.random();
  await first.evaluate((hash) => void (location.hash = hash), `#/play/${other.secret()}`);
  await first.getByText(other.publicKey()).first().waitFor();
  await second.reload();
  assert.equal(await played(second), two.publicKey());
  assert.equal(await remembered(), before);
  assert.ok(sent.length > 0 && ![one, two, other].some((keypair) => sent.some((text) => text.includes(keypair.secret()))));
});

test("the page works by keyboard alone, and a new view is announced where it begins", async ({ person }) => {
  const carol = await person("Carol", { registered: true });
  await carol.open();
  await carol.page.keyboard.press("Tab");
  await carol.page.keyboard.press("Enter");
  assert.equal(await carol.page.evaluate(() => document.activeElement?.tagName), "MAIN");
  await carol.page.getByRole("link", { name: "History" }).focus();
  await carol.page.keyboard.press("Enter");
  await carol.sees("Nothing was delivered yet.");
  assert.equal(await carol.page.evaluate(() => document.activeElement?.tagName), "MAIN");
});
