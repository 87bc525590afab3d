// Freighter answers when the person has looked at its window, which may be after they have gone on.

import assert from "node:assert/strict";
import { Keypair, Networks } from "@stellar/stellar-sdk";
import type { Person } from "../person.js";
import { test } from "../scene.js";

async function untilAsked({ freighter, page }: Person): Promise<void> {
  while (!freighter.isAsked) await page.waitForTimeout(50);
}

/** Has Freighter answer, and nobody be connected by it, neither now nor after a reload. */
async function speaksInVain(bob: Person): Promise<void> {
  bob.freighter.speak();
  await bob.page.waitForTimeout(500);
  await bob.page.getByRole("link", { name: "Home" }).click();
  await bob.button("Connect Freighter").waitFor();
  assert.doesNotMatch(await bob.text(), /on another network/);
  await bob.open();
  await bob.button("Connect Freighter").waitFor();
}

test("who goes on before Freighter answers is not connected by its answer", async ({ person }) => {
  const bob = await person("Bob", { connected: false });
  await bob.open();
  bob.freighter.silentTo = "REQUEST_ACCESS";
  await bob.press("Connect Freighter");
  await untilAsked(bob);
  await bob.sees("Connecting …");
  await bob.page.getByRole("link", { name: "History" }).click();
  await bob.page.getByRole("heading", { name: "History" }).waitFor();
  await speaksInVain(bob);
});

test("who has disconnected is not connected by another account or network that Freighter tells later", async ({ person }) => {
  // What the page looks at again and again, and what it asks when it has seen another account.
  for (const request of ["REQUEST_PUBLIC_KEY", "REQUEST_ALLOWED_STATUS"]) {
    const bob = await person(`Bob ${request}`);
    await bob.open();
    await bob.button("Disconnect").waitFor();
    bob.freighter.silentTo = request;
    bob.freighter.keypair = Keypair.random();
    bob.freighter.networkPassphrase = Networks.PUBLIC;
    await untilAsked(bob);
    await bob.press("Disconnect");
    await bob.button("Connect Freighter").waitFor();
    await speaksInVain(bob);
  }
});

test("a remembered wallet that answers late is connected in its place, and no other is offered meanwhile", async ({ person }) => {
  const bob = await person("Bob", { registered: true });
  await bob.open();
  await bob.button("Disconnect").waitFor();
  bob.freighter.silentTo = "REQUEST_ALLOWED_STATUS";
  await bob.page.reload();
  await untilAsked(bob);
  await bob.sees("Connecting …");
  assert.equal(await bob.button("Connect Freighter").count(), 0);
  for (const view of ["Agreements", "Sell", "History"]) {
    await bob.page.getByRole("link", { name: view, exact: true }).click();
    await bob.sees("Connecting …");
    assert.equal(await bob.page.getByText("Connect a wallet on your home page").count(), 0);
  }
  await bob.page.getByRole("link", { name: "Home" }).click();
  bob.freighter.speak();
  await bob.page.getByText(bob.address).waitFor();
});

test("who does not wait for a remembered wallet is offered all again, and stays unconnected when it answers", async ({ person }) => {
  const bob = await person("Bob");
  await bob.open();
  await bob.button("Disconnect").waitFor();
  bob.freighter.silentTo = "REQUEST_ALLOWED_STATUS";
  await bob.page.reload();
  await untilAsked(bob);
  await bob.press("Not now");
  await bob.button("Connect Freighter").waitFor();
  await speaksInVain(bob);
});
