// Whether the contract's records show what a call does.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import type { Chain } from "../../src/chain/chain.js";
import { isRecorded } from "../../src/signing/records.js";
import type { SignedCall } from "../../src/signing/story.js";

const terms = { consumer: "BUYER", energy_amount_kwh: 40n, price_per_kwh: 3n, delivery_deadline: 9000n };
const signed = { call: { method: "create_agreement", args: { provider: "SELLER", ...terms } }, signedAt: 1000 } as SignedCall;

const shownBy = (...agreements: object[]) => {
  const page = agreements.map((changed) => ({ agreement: { ...terms, created_at: 1005n, ...changed } }));
  return isRecorded({ agreementPage: () => Promise.resolve(page) } as unknown as Chain, signed);
};

test("an offer is recorded by one of the same terms that was made after it was signed", async () => {
  assert.equal(await shownBy({}), true);
  assert.equal(await shownBy({ created_at: 500n }, {}), true);
});

test("an older offer of the same terms, or a later one of others, does not show it", async () => {
  for (const created_at of [1n, 999n, 1000n]) assert.equal(await shownBy({ created_at }), false);
  for (const other of [{ consumer: "OTHER" }, { energy_amount_kwh: 41n }, { price_per_kwh: 4n }, { delivery_deadline: 9001n }])
    assert.equal(await shownBy(other), false);
});
