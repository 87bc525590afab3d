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
