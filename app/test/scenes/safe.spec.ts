// What may be signed: a network, a token or a link that wants more than the page shows gets no signature.

import assert from "node:assert/strict";
import { Address, Asset, inspectAuthEntry, Keypair, nativeToScVal, Operation, StrKey, xdr } from "@stellar/stellar-sdk";
import { Deposit } from "../../client/src/index.js";
import { deployFor, submit } from "../../neighbourhood/network.js";
import { accountKey } from "../../src/chain/keys.js";
import { shortAddress } from "../../src/words/format.js";
import { accountEntry } from "../account.js";
import { Actor } from "../actor.js";
import { accessible, pictures } from "../pictures.js";
import type { Person } from "../person.js";
import { calledFunction, change, type Behaviour } from "../proxy.js";
import { test } from "../scene.js";
import { xlmBalance } from "../token.js";

/** There is nothing in the dialog that could be signed. */
async function refusesToSign(person: Person, ...shown: (string | RegExp)[]): Promise<void> {
  await person.dialog.getByText("Do not sign this.").waitFor();
  const text = (await person.dialog.innerText()).replaceAll(/\s+/g, " ");
  for (const expected of shown) assert.ok(typeof expected === "string" ? text.includes(expected) : expected.test(text), `${expected} in ${text}`);
  assert.equal(await person.dialog.getByRole("button", { name: "Sign", exact: true }).count(), 0);
}

/** Changes the authorisation that the network says one function needs. */
const authorise = (
  name: string,
  passphrase: string,
  alter: (entries: xdr.SorobanAuthorizationEntry[]) => xdr.SorobanAuthorizationEntry[],
): Behaviour =>
  change((result, asked) => {
    if (calledFunction(asked, passphrase) !== name) return result;
    const [first] = result.results as { auth: string[]; xdr: string }[];
    const auth = alter((first?.auth ?? []).map((entry) => xdr.SorobanAuthorizationEntry.fromXdr(entry, "base64")));
    return { ...result, results: [{ ...first, auth: auth.map((entry) => entry.toXdr("base64")) }] };
  });

const grouped = (address: string) => (address.match(/.{4}/g) ?? []).join(" ");

test.describe(() => {
  test.use({ token: { decimals: 7, takes: 5_000_000_000n } });
  test("a token that takes 500 XLM besides is named, and gets no signature", async ({ person, actor, network }) => {
    const [alice, bob] = [await actor(), await person("Bob", { registered: true })];
    const agreement = await alice.offer(bob, { kwh: 1n, price: 15_000_000n });
    const before = await xlmBalance(network, bob.address);
    await bob.open(`agreement/${agreement}`);
    await bob.press("Pay a deposit, and look at each delivery");
    await refusesToSign(bob, "1.50 SUN from you to the contract", "It moves 500.00 XLM, from you to C", "also cover the call “transfer”");
    await pictures(bob.page, "hostile-token");
    assert.equal(await xlmBalance(network, bob.address), before);
  });
});

test("a network that adds a call to what a signature covers gets none", async ({ person, rpc, network, contract }) => {
  const carol = await person("Carol");
  await carol.open();
  const extra = new xdr.InvokeContractArgs({
    contractAddress: new Address(contract.tokenId).toScAddress(),
    functionName: "approve",
    args: [new Address(carol.address).toScVal(), new Address(contract.contractId).toScVal(), nativeToScVal(1n, { type: "i128" })],
  });
  const more = ([entry]: xdr.SorobanAuthorizationEntry[]) => {
    assert.ok(entry);
    const { function: called } = entry.rootInvocation;
    const approve = new xdr.SorobanAuthorizedInvocation({
      function: xdr.SorobanAuthorizedFunction.sorobanAuthorizedFunctionTypeContractFn(extra),
      subInvocations: [],
    });
    const rootInvocation = new xdr.SorobanAuthorizedInvocation({ function: called, subInvocations: [approve] });
    return [new xdr.SorobanAuthorizationEntry({ credentials: entry.credentials, rootInvocation })];
  };
  rpc.on("simulateTransaction", authorise("register_prosumer", network.passphrase, more));
  await carol.press("Register");
  await refusesToSign(carol, `also cover the call “approve” of the contract ${grouped(contract.tokenId)}`);
  rpc.off();
  await carol.declines();
  await carol.press("Register");
  await carol.signs("You are registered.");
});

test("a network that changes the meter in what is signed for the admin changes nothing of it", async ({ person, rpc, network, admin, actor }) => {
  const alice = await person("Alice", { registered: true });
  const [meter, thief] = [await actor({ registered: false }), await actor({ registered: false })];
  await alice.open();
  const other = (entries: xdr.SorobanAuthorizationEntry[]) =>
    entries.map(({ credentials, rootInvocation: { function: called, subInvocations } }) => {
      assert.equal(called.type, "sorobanAuthorizedFunctionTypeContractFn");
      const { contractAddress, functionName, args } = called.value;
      const changed = args.map((arg, index) => (index === 1 ? new Address(thief.address).toScVal() : arg));
      const invoked = new xdr.InvokeContractArgs({ contractAddress, functionName, args: changed });
      const rootInvocation = new xdr.SorobanAuthorizedInvocation({
        function: xdr.SorobanAuthorizedFunction.sorobanAuthorizedFunctionTypeContractFn(invoked),
        subInvocations,
      });
      return new xdr.SorobanAuthorizationEntry({ credentials, rootInvocation });
    });
  rpc.on("simulateTransaction", authorise("register_meter", network.passphrase, other));
  await alice.page.getByText("Have a meter certified").click();
  await alice.fill("Address of the meter", meter.address);
  await alice.fill("Its reading now (kWh)", "100");
  await alice.fill("Power of the plant (kW)", "5");
  await alice.press("Sign and make a link");
  const shown = await alice.review();
  assert.ok(shown.replaceAll(/\s/g, "").includes(meter.address));
  await accessible(alice.page);
  const link = await alice.signsFirst();
  const text = decodeURIComponent(link.split("/sign/")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
  const entry = inspectAuthEntry(xdr.SorobanAuthorizationEntry.fromXdr(text, "base64"));
  assert.equal(entry.address, alice.address);
  assert.equal(entry.invocation.function.type, "sorobanAuthorizedFunctionTypeContractFn");
  assert.equal(Address.fromScVal(entry.invocation.function.value.args[1] as xdr.ScVal).toString(), meter.address);

  rpc.off();
  const operator = await person("Operator", { keypair: admin.keypair, funded: false });
  await operator.follow(link);
  await operator.sees(/has signed this and asks for your signature/);
  await operator.press("Check and sign");
  await operator.signs("The meter’s certificate was changed.");
});

test("a link of which one byte was changed is damaged, and says nothing about anybody", async ({ person, admin, actor }) => {
  const alice = await person("Alice", { registered: true });
  const meter = await actor({ registered: false });
  await alice.open();
  await alice.page.getByText("Have a meter certified").click();
  await alice.fill("Address of the meter", meter.address);
  await alice.fill("Its reading now (kWh)", "100");
  await alice.fill("Power of the plant (kW)", "5");
  await alice.press("Sign and make a link");
  const link = await alice.signsFirst();
  await alice.follow(link);
  await alice.sees("You have signed this:");
  await alice.sees(/as your meter, counting from 100 kWh/);

  const [place = "", entry = ""] = link.split("/sign/");
  const bytes = Buffer.from(entry, "base64url");
  // The reading is the last but one argument: 100 becomes 1.
  const at = bytes.lastIndexOf(Buffer.from([0, 0, 0, 100]));
  bytes[at + 3] = 1;
  const operator = await person("Operator", { keypair: admin.keypair, funded: false });
  await operator.follow(`${place}/sign/${bytes.toString("base64url")}`);
  await operator.sees("This link is damaged");
  assert.ok(!(await operator.text()).includes("has signed"));
  await accessible(operator.page);
});

/** Tells of another code than that which the contract runs. */
const otherCode = change((result) => {
  const entries = result.entries as { key: string; xdr: string }[];
  const altered = entries.map((entry) => {
    const data = xdr.LedgerEntryData.fromXdr(entry.xdr, "base64");
    if (data.type !== "contractData" || data.contractData.val.type !== "scvContractInstance") return entry;
    const { executable, storage } = data.contractData.val.value;
    if (executable.type !== "contractExecutableWasm") return entry;
    const instance = new xdr.ScContractInstance({ executable: xdr.ContractExecutable.contractExecutableWasm(new Uint8Array(32)), storage });
    const { ext, contract, key, durability } = data.contractData;
    const changed = new xdr.ContractDataEntry({ ext, contract, key, durability, val: xdr.ScVal.scvContractInstance(instance) });
    return { ...entry, xdr: xdr.LedgerEntryData.contractData(changed).toXdr("base64") };
  });
  return { ...result, entries: altered };
});

test("other code than the published one is said, and has to be trusted once before anything is signed", async ({ person, rpc, contract }) => {
  const carol = await person("Carol");
  rpc.on("getLedgerEntries", otherCode);
  await carol.open();
  await carol.sees("Not the published code");
  await carol.press("Register");
  await carol.dialog.getByText("runs code that this page does not know").waitFor();
  assert.equal(await carol.dialog.getByRole("button", { name: "Sign", exact: true }).count(), 0);
  assert.ok((await carol.dialog.innerText()).replaceAll(/\s/g, "").includes(contract.contractId));
  await pictures(carol.page, "unknown-code");
  await carol.dialog.getByRole("button", { name: "I know this, and trust this contract" }).click();
  await carol.signs("You are registered.", "At most 0.4");
  await carol.open("offer");
  await carol.open();
  await carol.sees("Not the published code");
  rpc.off();
  await carol.open();
  await carol.sees("The published code of this project");
  await carol.sees("The network’s own money");
  await accessible(carol.page);
});

test("the question about unknown code comes before a signature for somebody else, and before one of several", async ({ person, rpc, network, actor }) => {
  const alice = await person("Alice", { registered: true });
  const [meter, account, ben] = [await actor({ registered: false }), await person("Anna"), await person("Ben")];
  const signers = [alice.address, ben.address].map((ed25519PublicKey) => Operation.setOptions({ signer: { ed25519PublicKey, weight: 1 } }));
  await submit(network, [...signers, Operation.setOptions({ medThreshold: 3, lowThreshold: 3, highThreshold: 3 })], [account.actor.keypair]);
  rpc.on("getLedgerEntries", otherCode);
  const asksFirst = async ({ dialog }: Person) => {
    await dialog.getByText("runs code that this page does not know").waitFor();
    assert.equal(await dialog.getByRole("button", { name: "Sign", exact: true }).count(), 0);
  };
  const trusts = ({ dialog }: Person) => dialog.getByRole("button", { name: "I know this, and trust this contract" }).click();

  await alice.open();
  await alice.page.getByText("Have a meter certified").click();
  await alice.fill("Address of the meter", meter.address);
  await alice.fill("Its reading now (kWh)", "100");
  await alice.fill("Power of the plant (kW)", "5");
  await alice.press("Sign and make a link");
  await asksFirst(alice);
  await accessible(alice.page);
  await alice.declines();
  await alice.press("Sign and make a link");
  await asksFirst(alice);
  await trusts(alice);
  await alice.signsFirst();

  await account.open();
  await account.press("Register");
  await account.sees("Signatures with a weight of 0 are there; 3 is needed.");
  await ben.follow(account.page.url());
  await ben.press("Check and sign");
  await asksFirst(ben);
  await trusts(ben);
  await ben.dialog.getByRole("button", { name: "Sign", exact: true }).click();
  await ben.sees("Signatures with a weight of 1 are there; 3 is needed.");
  // Alice has said it already.
  await alice.follow(ben.page.url());
  await alice.press("Check and sign");
  await alice.review();
});

test.describe(() => {
  test.use({ token: { asset: "XLM" } });
  test("an asset that calls itself XLM is not shown as XLM, and its issuer is named", async ({ person }) => {
    const carol = await person("Carol", { viewport: "phone" });
    await carol.open();
    await carol.sees("Issued by");
    assert.ok(!(await carol.text()).includes("500.00 XLM"));
    await carol.sees(/^500\.00 C\w{4}…\w{4}$/);
    await carol.sees(/XLM for fees/);
    await accessible(carol.page);
  });
});

test.describe(() => {
  test.use({ token: { decimals: 7, symbol: "\u202eابج LONGER THAN IT MAY BE" } });
  test("a token that is a program is doubted, and its symbol is short and stays in its place", async ({ person, stage }) => {
    const carol = await person("Carol");
    await carol.open();
    await carol.sees("no asset of the Stellar network");
    await carol.sees(`500.00 \u2068ابج LONGER T…\u2069 (${shortAddress(stage.token.contractId)})`);
    await pictures(carol.page, "foreign-token");
  });
});

test.describe(() => {
  test.use({ token: { decimals: 4_000_000_000 } });
  test("a token with absurd decimals is told, and nothing else", async ({ stage, browser, siteUrl }) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${siteUrl}${stage.query}`);
    await page.getByText("more decimals than any amount can have").waitFor();
    await context.close();
  });
});

test("a link to another community asks first, and both are kept in a list by the person’s own names", async ({ person, stage, network, admin }) => {
  const carol = await person("Carol");
  await carol.open();
  await carol.page.getByText("Your name for this community").first().click();
  await carol.fill("Your name for this community", "Elm Street");
  await carol.press("Save");
  const other = await deployFor(network, admin.keypair, stage.contract.tokenId);
  const link = `${stage.siteUrl}${stage.query.replace(stage.contract.contractId, other.contractId)}`;
  await carol.follow(link);
  await carol.sees("a community that you have not opened here before");
  assert.ok((await carol.text()).replaceAll(/\s/g, "").includes(other.contractId));
  await pictures(carol.page, "another-community");
  await carol.press("Stay with mine");
  await carol.sees("The published code of this project");
  assert.ok(carol.page.url().includes(stage.contract.contractId));

  await carol.follow(link);
  await carol.press("Open it, and keep mine in the list");
  await carol.sees("Your communities");
  assert.ok(carol.page.url().includes(other.contractId));
  await carol.press("Elm Street");
  await carol.page.waitForURL(new RegExp(stage.contract.contractId));
  await carol.sees("Elm Street, open now");
  await carol.follow(link);
  await carol.sees("Your communities");
  await accessible(carol.page);

  const absent = StrKey.encodeContract(new Uint8Array(32).fill(7));
  await carol.follow(link.replace(other.contractId, absent));
  await carol.press("Open it, and keep mine in the list");
  await carol.sees("There is no such contract on this network.");
  await carol.page.goto(stage.siteUrl);
  await carol.sees("Your communities");
  assert.ok(carol.page.url().includes(other.contractId));
});

test("the page shows nothing inside another page", async ({ person, stage }) => {
  const carol = await person("Carol");
  await carol.open();
  await carol.page.route("**/frame.html", (route) => route.fulfill({ contentType: "text/html", body: `<iframe src="./${stage.query}"></iframe>` }));
  await carol.page.goto(`${stage.siteUrl}frame.html`);
  const frame = carol.page.frameLocator("iframe");
  await frame.getByText("This page is shown inside another page").waitFor();
  assert.equal(await frame.locator("button").count(), 0);
});

const DAY = 86_400;

test("an expired contract is read, no household pays for it by accident, and the operator brings it back", async ({ person, clock, admin, contract }) => {
  const carol = await person("Carol");
  await clock.advance(130 * DAY);
  await carol.open();
  await carol.sees("The contract has expired on the network.");
  await carol.press("Register");
  await carol.dialog.getByText(/To bring it back costs about 3\d\d\.\d+ XLM/).waitFor();
  assert.equal(await carol.dialog.getByRole("button", { name: "Sign", exact: true }).count(), 0);
  await pictures(carol.page, "expired");
  await carol.declines();
  assert.equal(await carol.button("Bring the contract back").count(), 0);

  const operator = await person("Operator", { keypair: admin.keypair, funded: false });
  await operator.open();
  await operator.press("Bring the contract back");
  const shown = await operator.review();
  assert.match(shown, /the contract and its code to be brought back/);
  assert.match(shown, /^At most [23]\d\d\.\d+ XLM\./m);
  await pictures(operator.page, "restore");
  await operator.signs("The contract is back on the network.");
  await operator.press("Extend the contract’s time");
  assert.match(await operator.review(), /for the contract and its code to stay on the network for \d+ days from now/);
  await accessible(operator.page);
  await operator.signs("The contract’s time on the network is longer now.");

  await carol.open();
  await carol.press("Register");
  await carol.signs("You are registered.");
  assert.equal((await contract.client().get_prosumer({ prosumer: carol.address })).result.isOk(), true);
});

/** Says that everything costs more than a transaction can name, as where rent is dear. */
const dear = change((result) => {
  if (typeof result.transactionData !== "string") return result;
  const { ext, resources } = xdr.SorobanTransactionData.fromXdr(result.transactionData, "base64");
  const data = new xdr.SorobanTransactionData({ ext, resources, resourceFee: 4_451_179_430n });
  return { ...result, transactionData: data.toXdr("base64"), minResourceFee: "4451179430" };
});

test("where a fee is more than a transaction can name everything is read, and the operator is told the commands", async ({
  person,
  clock,
  rpc,
  admin,
  contract,
}) => {
  await clock.advance(130 * DAY);
  rpc.on("simulateTransaction", dear);
  const operator = await person("Operator", { keypair: admin.keypair, funded: false });
  await operator.open();
  await operator.sees("The contract has expired on the network.");
  await operator.press("Register");
  await operator.dialog.getByText(/To bring it back costs about 445\.12 XLM/).waitFor();
  await operator.declines();
  await operator.press("Bring the contract back");
  await operator.sees(/This costs about 445\.12 XLM, a fee that this page cannot put into a transaction/);
  await operator.sees(new RegExp(`stellar contract restore .* --id ${contract.contractId}`));
  assert.equal(await operator.dialog.getByRole("button", { name: "Sign", exact: true }).count(), 0);
  await pictures(operator.page, "expired-dear");
  rpc.off();
});

test("a fee above 5 XLM without anything to bring back is refused too", async ({ person, rpc }) => {
  const carol = await person("Carol");
  await carol.open();
  rpc.on(
    "simulateTransaction",
    change((result) => {
      if (typeof result.transactionData !== "string") return result;
      const { ext, resources } = xdr.SorobanTransactionData.fromXdr(result.transactionData, "base64");
      const data = new xdr.SorobanTransactionData({ ext, resources, resourceFee: 50_000_000n });
      return { ...result, transactionData: data.toXdr("base64") };
    }),
  );
  await carol.press("Register");
  await carol.dialog.getByText(/The fee of this would be up to 5\.\d+ XLM\. That is more than 5\.00 XLM/).waitFor();
  assert.equal(await carol.dialog.getByRole("button", { name: "Sign", exact: true }).count(), 0);
});

test.describe(() => {
  test.use({ token: { asset: "EUR" } });
  test("who does not accept the token, and who has too little of it, is told before the button", async ({ person, actor, network, contract }) => {
    // An account that was not given the token: it has no trustline.
    const bob = await person("Bob", { funded: false });
    await network.fund(bob.address);
    await bob.actor.register();
    const seller = new Actor(network, contract, Keypair.random());
    await network.fund(seller.address);
    await seller.register();
    const alice = await actor();
    const small = await alice.offer(bob, { kwh: 10n, price: 10_000_000n });
    const unpaid = await seller.offer(bob, { kwh: 10n, price: 10_000_000n });

    await bob.open(`agreement/${small}`);
    await bob.sees("Your account does not accept EUR yet. Accept it on your home page first.");
    await bob.open();
    await bob.sees("nobody can pay you, and you cannot pay");
    await bob.press("Accept EUR");
    const shown = await bob.review();
    assert.match(shown, /hold and receive EUR, issued by G\w{3} .*0\.5 XLM of it stay reserved/);
    await pictures(bob.page, "accept-token");
    const end = await bob.signs("Your account accepts the token.");
    assert.match(end, /^Transaction\s[0-9a-f]{64}$/m);
    await bob.page.getByText("nobody can pay you").waitFor({ state: "detached" });

    await bob.open(`agreement/${small}`);
    await bob.sees("You have 0.00 EUR, and this needs 10.00 EUR.");
    assert.equal(await bob.button("Pay a deposit, and look at each delivery").getAttribute("aria-disabled"), "true");
    await bob.open(`agreement/${unpaid}`);
    await bob.sees("The seller’s account cannot receive EUR yet: until it does, the seller is not paid from a deposit either.");
    await accessible(bob.page);
  });
});

/** Says that an account has half an XLM. */
const poor = (of: Keypair) =>
  change((result) => {
    const key = accountKey(of.publicKey()).toXdr("base64");
    const said = xdr.LedgerEntryData.account(accountEntry(of, { balance: 5_000_000n })).toXdr("base64");
    return { ...result, entries: (result.entries as { key: string }[]).map((entry) => (entry.key === key ? { ...entry, xdr: said } : entry)) };
  });

test("what the network keeps locked on an account is said before the button, and what the fee leaves too little of before the signature", async ({
  person,
  actor,
  network,
  rpc,
}) => {
  const alice = await actor();
  const bob = await person("Bob", { registered: true, viewport: "phone" });
  const id = await alice.offer(bob, { kwh: 10n, price: 2_000_000n });
  const give = (source: Actor, destination: Actor, amount: string) =>
    submit(
      network,
      [Operation.payment({ source: source.address, destination: destination.address, asset: Asset.native(), amount })],
      [alice.keypair, ...(source === alice ? [] : [source.keypair])],
    );
  const has = await xlmBalance(network, bob.address);
  await give(bob.actor, alice, String(Number(has - 25_000_000n) / 1e7));
  assert.equal(await xlmBalance(network, bob.address), 25_000_000n);

  await bob.open(`agreement/${id}`);
  await bob.sees(
    /^You have 2\.50 XLM, of which 1\.00 XLM stay locked: the network’s reserve, 0\.50 XLM for each entry.* You can spend 1\.50 XLM, less the fee, and this needs 2\.00 XLM\.$/,
  );
  assert.equal(await bob.button("Pay a deposit, and look at each delivery").getAttribute("aria-disabled"), "true");
  await pictures(bob.page, "locked");

  // As after a vote that has raised the reserve above what the account has.
  rpc.on("getLedgerEntries", poor(bob.actor.keypair));
  await bob.open(`agreement/${id}`);
  await bob.sees(/^You have 0\.50 XLM, of which 0\.50 XLM stay locked: .* You can spend 0\.00 XLM, less the fee, and this needs 2\.00 XLM\.$/);
  rpc.off();

  // All that can be spent, and nothing for the fee.
  await give(alice, bob.actor, "0.5");
  await bob.open(`agreement/${id}`);
  await bob.press("Pay a deposit, and look at each delivery");
  await bob.dialog.getByText(/^The account can spend 2\.00 XLM: .* This takes 2\.00 XLM, and a fee of up to 0\.\d+ XLM besides\./).waitFor();
  assert.equal(await bob.dialog.getByRole("button", { name: "Sign", exact: true }).count(), 0);
  await pictures(bob.page, "locked-fee");
  await bob.declines();
  await give(alice, bob.actor, "0.5");
  await bob.open(`agreement/${id}`);
  await bob.press("Pay a deposit, and look at each delivery");
  await bob.signs("The deposit is paid.");
});

test.describe(() => {
  test.use({ token: { asset: "EUR" } });
  test("what an account cannot receive by its own limit is said before it is paid", async ({ person, network, clock, stage }) => {
    const alice = await person("Alice", { registered: true });
    const bob = await person("Bob", { registered: true });
    const offer = () => alice.actor.offer(bob, { kwh: 20n, price: 10_000_000n });
    const [bill, deposit] = [await offer(), await offer()];
    const deliver = (agreement_id: bigint, energy_delivered_kwh: bigint, meter_reading: bigint) =>
      alice.actor.act((client) => client.deliver_energy({ agreement_id, energy_delivered_kwh, meter_reading, provider: alice.address }));
    await bob.actor.act((client) => client.fund_agreement({ agreement_id: deposit, consumer: bob.address, deposit: Deposit.Reviewed }));
    await deliver(bill, 3n, 3n);
    await clock.advance(60);
    await deliver(bill, 7n, 10n);
    await clock.advance(60);
    await deliver(deposit, 10n, 20n);
    // She has 500.
    const { asset } = stage.token;
    assert.ok(asset);
    await submit(network, [Operation.changeTrust({ asset, limit: "505" })], [alice.actor.keypair]);

    const sellersLimit = "The seller’s account can receive 5.00 EUR more at most, by its own limit, and this would pay";
    await bob.open(`agreement/${bill}`);
    await bob.sees(`${sellersLimit} 10.00 EUR.`);
    assert.equal(await bob.button("Pay the bill").getAttribute("aria-disabled"), "true");
    // The newest delivery stands first.
    const [second, first] = await bob.button("Pay only this one").all();
    assert.deepEqual([await second?.getAttribute("aria-disabled"), await first?.getAttribute("aria-disabled")], ["true", null]);
    await bob.sees(`${sellersLimit} 7.00 EUR.`);
    await pictures(bob.page, "sellers-limit");
    await first?.click();
    await bob.signs("The delivery is paid.");

    await clock.advance(DAY);
    await alice.open(`agreement/${deposit}`);
    await alice.sees("Your account can receive 2.00 EUR more at most, by its own limit, and this would pay 10.00 EUR. Raise the limit in your wallet.");
    assert.equal(await alice.button("Draw what is due").getAttribute("aria-disabled"), "true");
    await submit(network, [Operation.changeTrust({ asset })], [alice.actor.keypair]);
    await alice.open(`agreement/${deposit}`);
    await alice.press("Draw what is due");
    await alice.signs("The bill is paid.");
  });
});

/** What the dialog says of somebody who is not known from before. */
const FIRST = "This seems to be the first time: the ledger shows no earlier offer, deposit or payment of this account to";

test("the first offer, deposit and payment between two are said to be the first, and no later ones", async ({ person, actor, clock, rpc, network }) => {
  test.setTimeout(120_000);
  const bob = await actor();
  const alice = await person("Alice", { registered: true, viewport: "phone" });
  const day = new Date(((await clock.now()) + 10 * DAY) * 1000).toISOString().slice(0, 10);
  const offers = async (seller: Person) => {
    await seller.fill("How much? (kWh)", "10");
    await seller.fill(/^Price per kWh/, "0.1");
    await seller.fill("Deliveries until", day);
    await seller.press("Make the offer");
    return seller.review();
  };
  const isFirst = async ({ dialog }: Person, other: { address: string }) => {
    await dialog.getByText(`${FIRST} ${shortAddress(other.address)}.`).waitFor();
    assert.ok((await dialog.innerText()).replaceAll(/\s/g, "").includes(other.address));
  };
  /** The dialog names the other, and says nothing of a first time. */
  const isKnown = async ({ dialog }: Person, other: { address: string }) => {
    await dialog.getByText(other.address.slice(4, 8)).first().waitFor();
    assert.equal(await dialog.getByText(FIRST).count(), 0);
  };
  await alice.open(`offer/${bob.address}`);
  await offers(alice);
  await isFirst(alice, bob);
  await pictures(alice.page, "first-time");
  await alice.signs("The offer is made.");
  await alice.open(`offer/${bob.address}`);
  await offers(alice);
  await isKnown(alice, bob);
  await alice.declines();

  // So it is in another browser, that has read nothing else.
  const elsewhere = await person("Alice elsewhere", { keypair: alice.actor.keypair, funded: false });
  await elsewhere.open(`offer/${bob.address}`);
  await offers(elsewhere);
  await isKnown(elsewhere, bob);

  // Whoever is offered something has done nothing yet, and its deposit goes to the contract: the seller's address is shown.
  const carol = await person("Carol", { registered: true, locale: "de-DE" });
  const [paid, deposited, named] = [await alice.actor.offer(carol), await alice.actor.offer(carol), await bob.offer(carol)];
  const neuer = "Anscheinend zum ersten Mal: Das Netz zeigt kein früheres Angebot, keine Vorauszahlung und keine Zahlung dieses Kontos an";
  await carol.open(`agreement/${deposited}`);
  await carol.settled(rpc);
  rpc.reset();
  await carol.press("Vorauszahlung leisten und jede Lieferung ansehen");
  await carol.dialog.getByText(`${neuer} ${shortAddress(alice.address)}.`).waitFor();
  assert.ok((await carol.dialog.innerText()).replaceAll(/\s/g, "").includes(alice.address));
  // Besides what the signature needs, the account's agreements are asked for.
  const simulated = rpc.asked.filter(({ method }) => method === "simulateTransaction");
  const called = simulated.map((asked) => calledFunction(asked, network.passphrase));
  assert.deepEqual([...new Set(called)].sort(), ["fund_agreement", "get_agreement_page"]);
  await pictures(carol.page, "first-time-german");
  await carol.dialog.getByRole("button", { name: "Unterschreiben", exact: true }).click();
  await carol.dialog.locator("[data-hash]").waitFor();
  // The bill to the same seller is not the first.
  await alice.actor.act((client) =>
    client.deliver_energy({ agreement_id: paid, energy_delivered_kwh: 3n, meter_reading: 3n, provider: alice.address }),
  );
  await carol.open(`agreement/${paid}`);
  await carol.press("Rechnung bezahlen");
  await carol.dialog.getByRole("button", { name: "Unterschreiben", exact: true }).waitFor();
  await carol.dialog.getByText(alice.address.slice(4, 8)).first().waitFor();
  assert.equal(await carol.dialog.getByText("Anscheinend zum ersten Mal").count(), 0);
  // A name of her own makes nobody known: it may have come by a link.
  await carol.page.evaluate((address) => localStorage.setItem("names", JSON.stringify({ [address]: "Bob" })), bob.address);
  await carol.open(`agreement/${named}`);
  await carol.press("Vorauszahlung leisten und jede Lieferung ansehen");
  await carol.dialog.getByText(`${neuer} ${shortAddress(bob.address)}.`).waitFor();
});

test("a second signature for somebody who is not known is said to be the first time", async ({ person }) => {
  const mallory = await person("Mallory", { registered: true });
  const dora = await person("Dora", { registered: true, viewport: "phone" });
  // All of this needs nobody but Mallory.
  const id = await mallory.actor.offer(dora);
  const transaction_id = await mallory.actor.act((client) =>
    client.deliver_energy({ agreement_id: id, energy_delivered_kwh: 9n, meter_reading: 9n, provider: mallory.address }),
  );
  await mallory.actor.act((client) => client.dispute_transaction({ transaction_id, disputer: mallory.address }));
  await mallory.open(`agreement/${id}`);
  await mallory.press("Propose a compromise");
  await mallory.fill("Energy to be paid (kWh)", "5");
  await mallory.press("Check and sign");
  // She has offered it herself.
  await mallory.review();
  await mallory.page.waitForTimeout(500);
  assert.equal(await mallory.dialog.getByText(FIRST).count(), 0);
  const link = await mallory.signsFirst();

  await dora.follow(link);
  await dora.sees(`${FIRST} ${shortAddress(mallory.address)}.`);
  assert.ok((await dora.text()).replaceAll(/\s/g, "").includes(mallory.address));
  await pictures(dora.page, "first-time-link");
  await dora.press("Check and sign");
  await dora.dialog.getByText(`${FIRST} ${shortAddress(mallory.address)}.`).waitFor();
  await accessible(dora.page);
});
