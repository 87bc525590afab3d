// Addresses as people type and copy them.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Keypair, MuxedAccount, Account, StrKey } from "@stellar/stellar-sdk";
import { addressProblem, typedAddress } from "../../src/parts/addresses.js";
import { en } from "../../src/words/en.js";
import { groupsOfFour } from "../../src/words/format.js";

const account = Keypair.random().publicKey();
const contract = StrKey.encodeContract(Keypair.random().rawPublicKey());

test("an address is taken in groups, over lines, in small letters and with what cannot be seen", () => {
  for (const address of [account, contract]) {
    const grouped = groupsOfFour(address);
    const typed = [` ${address}\n`, grouped.join(" "), grouped.join("\u00a0"), grouped.join("\n"), address.toLowerCase(), `\u200e${address}\u200b`, `\ufeff${address}`];
    for (const text of typed) assert.deepEqual([typedAddress(text), addressProblem(typedAddress(text), en)], [address, undefined], text);
  }
});

test("what is no account and no contract says why", () => {
  const muxed = new MuxedAccount(new Account(account, "0"), "7").accountId();
  assert.equal(addressProblem(muxed, en), en.addresses.muxed);
  const other = account.endsWith("A") ? "B" : "A";
  for (const text of ["", "alice*example.org", account.slice(1), `${account.slice(0, -1)}${other}`, Keypair.random().secret(), `${account},`])
    assert.equal(addressProblem(typedAddress(text), en), en.addresses.bad, text);
});
