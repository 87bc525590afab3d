// What goes wrong, and what a person is told then.

import assert from "node:assert/strict";
import { Asset, Keypair, Networks, Operation } from "@stellar/stellar-sdk";
import type { Browser, Page } from "playwright-core";
import { check } from "./checks.js";
import { Freighter } from "./freighter.js";
import { submit, type Contract, type LocalNetwork } from "../neighbourhood/network.js";
import { Person, type Site } from "./person.js";
import { show } from "./pictures.js";

export async function trouble(browser: Browser, site: Site, network: LocalNetwork, contract: Contract): Promise<void> {
  const keypair = Keypair.random();
  const freighter = new Freighter(keypair, network.passphrase);
  await network.fund(keypair.publicKey());
  const carol = await Person.meet(browser, site, "Carol", freighter);
  const isRegistered = async () => (await contract.client().get_prosumer({ prosumer: keypair.publicKey() })).result.isOk();

  await check("no wallet is there", async () => {
    const dave = await Person.meet(browser, site, "Dave");
    await dave.open();
    await dave.press("Connect Freighter");
    await dave.sees("Freighter was not found in this browser.");
    await dave.context.close();
  });

  await check("the wallet is locked when it is connected", async () => {
    freighter.locked = true;
    await carol.open();
    await carol.press("Connect Freighter");
    await carol.sees("Your wallet is locked or shares no account.");
    await show(carol.page, "wallet-locked");
  });

  await check("the person declines to connect", async () => {
    freighter.locked = false;
    freighter.refuses = true;
    await carol.press("Connect Freighter");
    await carol.sees("You declined in your wallet.");
    freighter.refuses = false;
    await carol.press("Connect Freighter");
    await carol.sees("10,000.00 XLM");
  });

  await check("the person declines to sign: nothing happened, and the next try goes on from there", async () => {
    freighter.refuses = true;
    await carol.press("Register");
    assert.ok((await carol.sign()).includes("You declined in your wallet. Nothing happened"));
    await show(carol.page, "declined");
    freighter.refuses = false;
    await carol.dialog.getByRole("button", { name: "Try again" }).click();
    await carol.review();
    await carol.dialog.getByRole("button", { name: "Not now" }).click();
    assert.equal(await isRegistered(), false);
  });

  await check("the wallet is locked when it shall sign", async () => {
    freighter.locked = true;
    await carol.press("Register");
    await carol.sees("Your wallet is locked or shares no account.");
    await carol.closeDialog();
    freighter.locked = false;
  });

  await check("the wallet is on another network: the page says so at once, and signs nothing", async () => {
    freighter.networkPassphrase = Networks.PUBLIC;
    await carol.sees("Your wallet is on another network. Open it and choose: This computer.");
    await show(carol.page, "wrong-network");
    await carol.press("Register");
    await carol.sees("Your wallet is on another network. Choose this community’s network");
    await carol.closeDialog();
    freighter.networkPassphrase = network.passphrase;
    await carol.page.getByText("Open it and choose").waitFor({ state: "detached" });
  });

  await check("the connection is lost while it is sent: a reload finds it, and nothing is sent twice", async () => {
    const isPoll = (body: string | null) => !!body?.includes('"getTransaction"');
    await carol.page.route(network.rpcUrl, (route) => (isPoll(route.request().postData()) ? route.abort() : route.continue()));
    await carol.press("Register");
    assert.ok((await carol.sign()).includes("The network cannot be reached."));
    await carol.page.unroute(network.rpcUrl);
    await carol.open();
    await carol.sees("You are registered.");
    await carol.closeDialog();
    await carol.sees("Registered");
    assert.equal(await isRegistered(), true);
  });

  await check("the connection is lost before the network has it: it is sent anew, and the page goes on", async () => {
    const key = Keypair.random();
    await network.fund(key.publicKey());
    const frank = await Person.meet(browser, site, "Frank", new Freighter(key, network.passphrase));
    await frank.open();
    await frank.press("Connect Freighter");
    const isSend = (body: string | null) => !!body?.includes('"sendTransaction"');
    await frank.page.route(network.rpcUrl, (route) => (isSend(route.request().postData()) ? route.abort() : route.continue()));
    await frank.press("Register");
    assert.ok((await frank.sign()).includes("The network cannot be reached."));
    await frank.page.unroute(network.rpcUrl);
    await frank.dialog.getByRole("button", { name: "Try again" }).click();
    await frank.sees("You are registered.");
    await frank.context.close();
  });

  await check("the connection is lost while it is read", async () => {
    await carol.page.route(network.rpcUrl, (route) => route.abort());
    await carol.page.reload();
    await carol.sees("The network cannot be reached.");
    await carol.page.unroute(network.rpcUrl);
    await carol.press("Try again");
    await carol.sees("Registered");
  });

  await check("a form outlives a reload", async () => {
    await carol.open("offer");
    await carol.fill("How much? (kWh)", "77");
    await carol.page.reload();
    assert.equal(await carol.page.getByLabel("How much? (kWh)").inputValue(), "77");
  });

  await check("the contract’s errors are told by name and advice", async () => {
    await carol.open("agreement/999000001");
    await carol.sees("There is no agreement with this number.");
    await carol.open("sign/AAAA");
    await carol.sees("This link is incomplete or not for this community.");
  });

  await check("what comes in a link is never markup", async () => {
    await carol.open(`offer/${encodeURIComponent("<img src=x onerror=alert(1)>")}`);
    assert.equal(await carol.page.locator("main img").count(), 0);
  });

  await check("too little XLM for the fee", async () => {
    const poor = Keypair.random();
    await network.fund(poor.publicKey());
    await giveAway(network, poor, keypair.publicKey());
    const erin = await Person.meet(browser, site, "Erin", new Freighter(poor, network.passphrase));
    await erin.open();
    await erin.press("Connect Freighter");
    await erin.press("Register");
    assert.ok((await erin.sign()).includes("You have too little XLM for the fee."));
    await erin.context.close();
  });

  await check("a play link signs its own tab in, sends its key nowhere, and the browser remembers nobody", async () => {
    const remembered = () => carol.page.evaluate(() => JSON.stringify(localStorage));
    const before = await remembered();
    const [one, two] = [Keypair.random(), Keypair.random()];
    const sent: string[] = [];
    carol.context.on("request", (request) => sent.push(request.url() + (request.postData() ?? "")));
    const open = async (keypair: Keypair) => {
      const page = await carol.context.newPage();
      await page.goto(`${site.url}${site.query}#/play/${keypair.secret()}/history`);
      await page.getByText("play key, this machine’s network only").waitFor();
      assert.equal(page.url(), `${site.url}${site.query}#/history`);
      return page;
    };
    const played = async (page: Page) => {
      await page.evaluate(() => void (location.hash = "#/home"));
      await page.getByText("The play key is in this tab only.").waitFor();
      return page.locator(".account .address").textContent();
    };
    const [first, second] = [await open(one), await open(two)];
    assert.deepEqual([await played(first), await played(second)], [one.publicKey(), two.publicKey()]);
    await show(first, "play");
    const other = Keypair.random();
    await first.evaluate((hash) => void (location.hash = hash), `#/play/${other.secret()}`);
    await first.getByText(other.publicKey()).first().waitFor();
    await second.reload();
    assert.equal(await played(second), two.publicKey());
    assert.equal(await remembered(), before);
    assert.ok(sent.length > 0 && ![one, two, other].some((keypair) => sent.some((text) => text.includes(keypair.secret()))));
    await first.close();
    await second.close();
  });

  await check("the page works by keyboard alone, and a new view is announced where it begins", async () => {
    await carol.open();
    await carol.page.keyboard.press("Tab");
    await carol.page.keyboard.press("Enter");
    assert.equal(await carol.page.evaluate(() => document.activeElement?.tagName), "MAIN");
    await carol.page.getByRole("link", { name: "History" }).focus();
    await carol.page.keyboard.press("Enter");
    await carol.sees("Nothing was delivered yet.");
    assert.equal(await carol.page.evaluate(() => document.activeElement?.tagName), "MAIN");
  });
  await carol.context.close();
}

/** Leaves an account what it must hold, and next to nothing for fees. */
function giveAway(network: LocalNetwork, keypair: Keypair, destination: string): Promise<void> {
  return submit(network, [Operation.payment({ destination, asset: Asset.native(), amount: "9998.9999" })], [keypair]);
}
