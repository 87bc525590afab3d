// The page's copies of the contract's limits.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "@playwright/test";
import { SharingError } from "../../client/src/index.js";
import { NOT_REGISTERED } from "../../src/chain/chain.js";
import { AGREEMENT_NOT_FOUND } from "../../src/chain/disputes.js";
import * as limits from "../../src/contract/limits.js";

test("every limit that the page copies is the contract's", () => {
  const reference = readFileSync(new URL("../../../docs/reference.md", import.meta.url), "utf8");
  const [, section = ""] = reference.split("\n## Limits\n");
  const stated = new Map([...section.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, name, value]) => [name, value]));
  const copies = Object.entries(limits).map(([name, value]) => [name, String(value)]);
  assert.equal(copies.length, 9);
  assert.deepEqual(
    copies,
    copies.map(([name = ""]) => [name, stated.get(name)]),
  );
});

test("the errors that the page knows by number are the contract's", () => {
  assert.deepEqual([SharingError[NOT_REGISTERED].message, SharingError[AGREEMENT_NOT_FOUND].message], ["ProsumerNotRegistered", "AgreementNotFound"]);
});
