// What may be signed: a network, a token or a link that wants more than the page shows gets no signature.

import assert from "node:assert/strict";
import { Address, inspectAuthEntry, nativeToScVal, xdr } from "@stellar/stellar-sdk";
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
