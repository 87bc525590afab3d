// Accounts with several signers: a call travels as a link until it has its signatures.

import assert from "node:assert/strict";
import { Operation, type Keypair } from "@stellar/stellar-sdk";
import { submit, type LocalNetwork } from "../../neighbourhood/network.js";
import type { Person } from "../person.js";
import { pictures } from "../pictures.js";
import { test } from "../scene.js";

// Three people each wait for a browser of their own.
test.describe.configure({ timeout: 180_000 });

/** Has an account share its say with others, each with a weight of one. */
const share = (network: LocalNetwork, account: Keypair, others: string[], needed: number) =>
  submit(
    network,
    [
      ...others.map((ed25519PublicKey) => Operation.setOptions({ signer: { ed25519PublicKey, weight: 1 } })),
      Operation.setOptions({ lowThreshold: needed, medThreshold: needed, highThreshold: needed }),
    ],
    [account],
  );

/** Signs what the link shows, and answers the link with the signature in it. */
async function adds({ page }: Person): Promise<string> {
  const before = page.url();
  await page.getByRole("button", { name: "Sign", exact: true }).click();
  await page.waitForURL((url) => url.href !== before);
  await page.getByText("has signed").first().waitFor();
  return page.url();
}

test("two signers: the admin rules, and another key of the account’s sends it off", async ({ person, actor, admin, network, contract }) => {
  const [alice, bob] = [await actor(), await actor()];
  const agreement_id = await alice.offer(bob, { kwh: 9n });
  const transaction_id = await alice.act((client) =>
    client.deliver_energy({ agreement_id, energy_delivered_kwh: 9n, meter_reading: 9n, provider: alice.address }),
  );
  await bob.act((client) => client.dispute_transaction({ transaction_id, disputer: bob.address }));
  const first = await person("Anna", { keypair: admin.keypair, funded: false });
  const second = await person("Ben");
  const stranger = await person("Carol");
  await share(network, admin.keypair, [second.address], 2);

  await first.open(`agreement/${agreement_id}`);
  await first.press("Rule");
  await first.fill("Energy to be paid (kWh)", "5");
  await first.press("Check and sign");
  await first.sees("Signatures with a weight of 0 are there; 2 is needed.");
  await first.sees("No money moves.");
  const unsigned = first.page.url();
  const link = await adds(first);
  await first.sees("Signatures with a weight of 1 are there; 2 is needed.");
  assert.equal(await first.button("Sign").count(), 0);
  assert.equal(await first.button("Send it off").count(), 0);

  await stranger.follow(link);
  await stranger.sees("This waits for the signature of somebody above.");
  assert.equal(await stranger.button("Sign").count(), 0);

  await second.follow(link);
  await second.sees(`Rule that 5 kWh of delivery 1 of agreement ${agreement_id} are to be paid.`);
  await pictures(second.page, "approval");
  second.freighter.refuses = true;
  await second.press("Sign");
  await second.sees("You declined in your wallet.");
  second.freighter.refuses = false;
  const complete = await adds(second);
  await second.press("Send it off");
  await second.sees("It is on the ledger.");
  const { payment_amount } = (await contract.client().get_transaction({ transaction_id })).result.unwrap();
  assert.equal(payment_amount, 7_500_000n);

  await stranger.follow(complete);
  await stranger.sees("It is on the ledger.");
  // Signatures do not change which transaction it is.
  await stranger.follow(unsigned);
  await stranger.sees("It is on the ledger.");
});

test("three signers, two of whom are enough: somebody without a wallet sends it off", async ({ person, network, contract }) => {
  const account = await person("Anna");
  const [second, third] = [await person("Ben"), await person("Carol", { wallet: "browser", viewport: "phone" })];
  await share(network, account.actor.keypair, [second.address, third.address], 2);
  await account.open();
  await account.press("Register");
  await account.sees("Signatures with a weight of 0 are there; 2 is needed.");
  const unsigned = account.page.url();

  await second.follow(unsigned);
  const one = await adds(second);
  await third.follow(one);
  const two = await adds(third);
  await third.sees("Signatures with a weight of 2 are there; 2 is needed.");
  const stranger = await person("Dave", { wallet: "none" });
  await stranger.follow(two);
  await stranger.press("Send it off");
  await stranger.sees("You are registered. It is on the ledger.");
  assert.equal((await contract.client().get_prosumer({ prosumer: account.address })).result.isOk(), true);
});

test("the time for the signatures ends, and a link that was changed is no link", async ({ person, network, clock }) => {
  const [account, second] = [await person("Anna"), await person("Ben")];
  await share(network, account.actor.keypair, [second.address], 2);
  await account.open();
  await account.press("Register");
  await account.sees("Signatures with a weight of 0 are there; 2 is needed.");
  const link = await adds(account);
  await second.follow(link.slice(0, -40));
  await second.sees("This link is incomplete, was changed, or is not for this community.");
  await clock.advance(86_400 + 60);
  await second.follow(link);
  await second.sees("The time for it is over.");
  assert.equal(await second.button("Sign").count(), 0);
});

test("what else the account sends takes the place of what waits", async ({ person, network }) => {
  const [account, second] = [await person("Anna"), await person("Ben")];
  await share(network, account.actor.keypair, [second.address], 2);
  await account.open();
  await account.press("Register");
  const link = await adds(account);
  await submit(network, [Operation.setOptions({})], [account.actor.keypair, second.actor.keypair]);
  await second.follow(link);
  await second.sees("It cannot be sent any more");
});
