// Wallets on phones, by WalletConnect: the page's own client, a relay of this machine, and a wallet that runs the protocol's client.

import assert from "node:assert/strict";
import { BASE_FEE, Keypair, Memo, Networks, TransactionBuilder } from "@stellar/stellar-sdk";
import type { Person, PersonOptions } from "../person.js";
import { PhoneWallet } from "../phoneWallet.js";
import { accessible, pictures } from "../pictures.js";
import { WalletRelay } from "../relay.js";
import { test as base } from "../scene.js";

const PROJECT_ID = "0123456789abcdef0123456789abcdef";
const ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";

interface Pair {
  person: Person;
  wallet: PhoneWallet;
}

const test = base.extend<{ relay: WalletRelay; meet: (name: string, options?: PersonOptions) => Promise<Pair> }>({
  asTestnet: true,
  relay: async ({}, use) => {
    const relay = await WalletRelay.start(PROJECT_ID);
    await use(relay);
    relay.stop();
  },
  meet: async ({ person, relay }, use) => {
    const wallets: PhoneWallet[] = [];
    await use(async (name, options = {}) => {
      const keypair = Keypair.random();
      const met = await person(name, { keypair, wallet: "none", ...options });
      await relay.serve(met.context);
      const wallet = await PhoneWallet.start(relay.url, PROJECT_ID, keypair);
      wallets.push(wallet);
      return { person: met, wallet };
    });
    for (const wallet of wallets) await wallet.stop();
  },
});
test.use({ projectId: PROJECT_ID });

const phone = { viewport: "phone", userAgent: ANDROID } as const;

/** The code that the link of an app carries. */
async function codeInLink({ page }: Person, app: string): Promise<string> {
  const href = await page.getByRole("link", { name: `Open ${app}` }).getAttribute("href");
  assert.ok(href);
  return new URL(href).searchParams.get("uri") ?? "";
}

/** Connects as a person at a desktop does, who scans the code. */
async function scan({ person, wallet }: Pair): Promise<void> {
  await person.press("Connect a wallet on a phone");
  await person.page.getByRole("img", { name: "QR code for your wallet" }).waitFor();
  await person.press("Copy the code");
  await wallet.pair(await person.page.evaluate(() => navigator.clipboard.readText()));
}

const connected = ({ person }: Pair) => person.page.getByText(person.address).waitFor();

test("on a phone: connect, pay a bill, decline, disconnect", async ({ meet, relay, actor, contract }) => {
  test.slow();
  const bob = await meet("Bob", { ...phone, registered: true });
  const { person, wallet } = bob;
  const alice = await actor();
  const agreement_id = await alice.offer(person, { kwh: 9n });
  await alice.act((client) =>
    client.deliver_energy({ agreement_id, energy_delivered_kwh: 9n, meter_reading: 9n, provider: alice.address }),
  );
  await person.open();
  assert.equal(await person.button("Connect Freighter").count(), 0);
  await accessible(person.page);
  await person.press("Connect a wallet app");
  const lobstr = await person.page.getByRole("link", { name: "Open LOBSTR" }).getAttribute("href");
  const code = await codeInLink(person, "Freighter");
  assert.equal(lobstr, `https://lobstr.co/uni/wc/wc?uri=${encodeURIComponent(code)}`);
  await pictures(person.page, "wallet-app");
  await person.page.evaluate(() => {
    // There is no app to open here, and a browser that asks whether to open one takes no other press.
    addEventListener("click", (event) => event.target instanceof Element && event.target.closest("a") && event.preventDefault());
  });
  await person.page.getByRole("link", { name: "Open Freighter" }).click();
  await wallet.pair(code);
  await connected(bob);

  await person.open(`agreement/${agreement_id}`);
  await person.press("Pay the bill");
  wallet.silent = true;
  await person.review();
  await person.dialog.getByRole("button", { name: "Sign", exact: true }).click();
  await person.sees("Your wallet has it: open the app");
  assert.equal(await person.page.getByRole("link", { name: "Open Freighter" }).getAttribute("href"), "freighterwallet://wc-redirect");
  await pictures(person.page, "wallet-app-signs");
  wallet.refuses = "declined";
  await wallet.speak();
  await person.sees("You declined in your wallet. Nothing happened");
  await person.closeDialog();

  wallet.refuses = undefined;
  await person.press("Pay the bill");
  await person.signs("The bill is paid.", "1.35 XLM from you to");
  const state = (await contract.client().get_agreement_state({ agreement_id })).result.unwrap();
  assert.equal(state.pending_amount, 0n);
  assert.deepEqual(wallet.asked, ["stellar_signXDR", "stellar_signXDR"]);

  await person.open();
  await person.press("Disconnect");
  await person.button("Connect a wallet app").waitFor();
  while (wallet.sessions.length > 0) await person.page.waitForTimeout(50);
  assert.deepEqual(relay.refused, []);
});

test("beside a desktop: a code is scanned, and a reload and a cut connection lose nothing", async ({ meet, relay }) => {
  const carol = await meet("Carol");
  const { person, wallet } = carol;
  await person.open();
  await person.button("Connect Freighter").waitFor();
  await scan(carol);
  await connected(carol);
  await person.open();
  await connected(carol);
  wallet.silent = true;
  await person.press("Register");
  await person.review();
  await person.dialog.getByRole("button", { name: "Sign", exact: true }).click();
  while (wallet.asked.length === 0) await person.page.waitForTimeout(50);
  relay.cut();
  await wallet.speak();
  await person.sees("You are registered.");
});

test("the code is shown for a camera, also in the dark", async ({ meet }) => {
  const { person } = await meet("Carol");
  await person.open();
  await person.press("Connect a wallet on a phone");
  await person.page.getByRole("img", { name: "QR code for your wallet" }).waitFor();
  await pictures(person.page, "wallet-code");
  await person.press("Not now");
  await person.button("Connect a wallet on a phone").waitFor();
});

test("the wallet is told what the page is called, in the person’s language and without what waits", async ({ meet }) => {
  const [carol, greta] = [await meet("Carol"), await meet("Greta", { locale: "de-DE" })];
  await carol.person.open();
  await scan(carol);
  await connected(carol);
  assert.deepEqual(carol.wallet.pages, ["Neighbours’ energy"]);
  await greta.person.open();
  await greta.person.press("Wallet auf einem Telefon verbinden");
  await greta.person.press("Code kopieren");
  await greta.wallet.pair(await greta.person.page.evaluate(() => navigator.clipboard.readText()));
  await connected(greta);
  assert.deepEqual(greta.wallet.pages, ["Nachbarstrom"]);
});

test("a connection that the wallet lets hold for longer does so over a reload", async ({ meet }) => {
  const carol = await meet("Carol");
  const { page } = carol.person;
  await carol.person.open();
  await scan(carol);
  await connected(carol);
  const endNow = () =>
    page.evaluate(() => {
      const remembered = JSON.parse(localStorage.getItem("WalletConnect") ?? "") as { session: { expiry: number } };
      remembered.session.expiry = Math.floor(Date.now() / 1000) - 1;
      localStorage.setItem("WalletConnect", JSON.stringify(remembered));
    });
  await endNow();
  await carol.wallet.extend();
  await carol.person.open();
  await connected(carol);
  await endNow();
  await carol.person.open();
  await carol.person.sees("Your wallet has ended the connection. Connect it anew.");
});

test("what another tab has remembered of its own connection stays, whatever becomes of this one", async ({ meet, actor }) => {
  const carol = await meet("Carol");
  const { page } = carol.person;
  await carol.person.open();
  await scan(carol);
  await connected(carol);
  const pairedElsewhere = await page.evaluate(() => {
    const remembered = JSON.parse(localStorage.getItem("WalletConnect") ?? "") as { session: { key: string } };
    remembered.session.key = "00".repeat(32);
    const text = JSON.stringify(remembered);
    localStorage.setItem("WalletConnect", text);
    return text;
  });
  const remembered = () => page.evaluate(() => localStorage.getItem("WalletConnect"));
  await carol.wallet.extend();
  assert.equal(await remembered(), pairedElsewhere);
  const other = await actor({ registered: false });
  await carol.wallet.choose(other.keypair);
  await page.getByText(other.address).waitFor();
  assert.equal(await remembered(), pairedElsewhere);
  await carol.person.press("Disconnect");
  await carol.person.button("Connect a wallet on a phone").waitFor();
  assert.equal(await remembered(), pairedElsewhere);
});

test("who gives up the search for the wallet of the last time ends its connection once it is found, and who only leaves does not", async ({ meet }) => {
  const carol = await meet("Carol");
  const { person, wallet } = carol;
  await person.open();
  await scan(carol);
  await connected(carol);
  const sessions = () => wallet.sessions.length;
  let letThrough = () => {};
  const later = new Promise<void>((resolve) => (letThrough = resolve));
  await person.context.route(/\/session-/, (route) => later.then(() => route.continue()));
  await person.page.reload();
  await person.sees("Connecting …");
  await person.page.reload();
  await person.sees("Connecting …");
  assert.equal(sessions(), 1);
  await person.press("Not now");
  await person.button("Connect a wallet on a phone").waitFor();
  letThrough();
  while (sessions() > 0) await person.page.waitForTimeout(50);
  assert.equal(await person.page.evaluate(() => localStorage.getItem("WalletConnect")), null);
  await person.button("Connect a wallet on a phone").waitFor();
});

test("who gives up before the wallet agrees, or before the page can ask it, is not connected and shown no code", async ({ meet }) => {
  const carol = await meet("Carol");
  const { person, wallet } = carol;
  let letThrough = () => {};
  const later = new Promise<void>((resolve) => (letThrough = resolve));
  await person.context.route(/\/session-/, (route) => later.then(() => route.continue()));
  await person.open();
  await person.press("Connect a wallet on a phone");
  await person.press("Connect Freighter");
  await person.sees("Freighter was not found in this browser.");
  letThrough();
  await person.page.waitForTimeout(1000);
  assert.equal(await person.page.getByRole("img", { name: "QR code for your wallet" }).count(), 0);

  await person.press("Connect a wallet on a phone");
  await person.page.getByRole("img", { name: "QR code for your wallet" }).waitFor();
  await person.press("Copy the code");
  const code = await person.page.evaluate(() => navigator.clipboard.readText());
  await person.press("Not now");
  await wallet.pair(code);
  while (wallet.pages.length === 0) await person.page.waitForTimeout(50);
  await person.page.waitForTimeout(1000);
  await person.button("Connect a wallet on a phone").waitFor();
  await person.open();
  await person.button("Connect a wallet on a phone").waitFor();
});

test("the person declines to connect in the app", async ({ meet }) => {
  const carol = await meet("Carol");
  carol.wallet.refuses = "declined";
  await carol.person.open();
  await scan(carol);
  await carol.person.sees("You declined in your wallet.");
});

test("the wallet is on another network", async ({ meet }) => {
  const carol = await meet("Carol");
  carol.wallet.refuses = "elsewhere";
  await carol.person.open();
  await scan(carol);
  await carol.person.sees("Your wallet is on another network.");
});

test("the wallet ends the connection, and shows another account", async ({ meet, actor }) => {
  const carol = await meet("Carol");
  const other = await actor({ registered: false });
  await carol.person.open();
  await scan(carol);
  await connected(carol);
  await carol.wallet.choose(other.keypair);
  await carol.person.page.getByText(other.address).waitFor();
  await carol.wallet.disconnect();
  await carol.person.sees("Your wallet has ended the connection. Connect it anew.");
  await carol.person.open();
  await carol.person.button("Connect a wallet on a phone").waitFor();
});

test("what the wallet signs is what was shown, or nothing is sent", async ({ meet, rpc }) => {
  const carol = await meet("Carol");
  const { person, wallet } = carol;
  await person.open();
  await scan(carol);
  await connected(carol);
  const refused = async () => {
    await person.press("Register");
    await person.signs("Your wallet’s answer was not your signature for what is shown here. Nothing was sent.");
  };
  wallet.forge = (xdr) => {
    const forged = TransactionBuilder.cloneFrom(TransactionBuilder.fromXdr(xdr, Networks.TESTNET) as never, { fee: BASE_FEE });
    return forged.addMemo(Memo.text("another")).build().toXdr();
  };
  await refused();
  wallet.forge = (xdr) => xdr;
  wallet.signer = Keypair.random();
  await refused();
  assert.equal(rpc.count("sendTransaction"), 0);
});

test("a wallet that signs no entries cannot sign first, and is told so", async ({ meet }) => {
  const carol = await meet("Carol", { registered: true });
  carol.wallet.signsEntries = false;
  const { person } = carol;
  await person.open();
  await scan(carol);
  await connected(carol);
  await person.page.getByText("Have a meter certified").click();
  await person.fill("Address of the meter", Keypair.random().publicKey());
  await person.fill("Its reading now (kWh)", "100");
  await person.fill("Power of the plant (kW)", "10");
  await person.press("Sign and make a link");
  await person.signs("Your wallet cannot sign first");
});

test("a wallet that signs entries signs first", async ({ meet }) => {
  const carol = await meet("Carol", { registered: true });
  const { person } = carol;
  await person.open();
  await scan(carol);
  await connected(carol);
  await person.page.getByText("Have a meter certified").click();
  await person.fill("Address of the meter", Keypair.random().publicKey());
  await person.fill("Its reading now (kWh)", "100");
  await person.fill("Power of the plant (kW)", "10");
  await person.press("Sign and make a link");
  assert.ok((await person.signsFirst()).includes("#/sign/"));
});

test("the relay cannot be reached", async ({ meet, relay, rpc }) => {
  const { person } = await meet("Carol");
  await person.open();
  await person.settled(rpc);
  relay.stop();
  await person.press("Connect a wallet on a phone");
  await person.sees("The service between this page and your wallet cannot be reached.");
  person.complaints.length = 0;
});

test("the page reaches the relay only if it is built for it, and loads the protocol only when it is chosen", async ({ meet }) => {
  const { person } = await meet("Carol");
  const loaded: string[] = [];
  person.context.on("request", (request) => loaded.push(request.url()));
  await person.open();
  const policy = await person.page.locator("meta[http-equiv]").getAttribute("content");
  assert.ok(policy?.includes("wss://relay.walletconnect.org"));
  assert.ok(!loaded.some((url) => /\/session-/.test(url)));
  await person.press("Connect a wallet on a phone");
  await person.page.getByRole("img", { name: "QR code for your wallet" }).waitFor();
  assert.ok(loaded.some((url) => /\/session-/.test(url)));
});
