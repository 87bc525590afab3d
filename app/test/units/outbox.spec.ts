// The links that this person made for a second signature.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { remember } from "../../src/person/memory.js";
import { SIGNATURE_HOLDS } from "../../src/signing/holds.js";
import { savedLinks, saveLink } from "../../src/signing/outbox.js";
import type { ShareJob } from "../../src/signing/story.js";

const NOW = 1_800_000_000n;
const link = "https://example.org/#/sign/AAAA";
const certificate: ShareJob = { kind: "share", call: { method: "register_meter", args: { prosumer: "G", meter: null, meter_reading: 0n, max_power_kw: 0n } }, other: "H" };
const compromise: ShareJob = { kind: "share", call: { method: "resolve_dispute", args: { transaction_id: 10_000_003_000_001n, energy_accepted_kwh: 5n, resolver: "G" } }, other: "I" };

test.afterEach(() => remember("links", undefined));

test("a link is kept with what it is about, until it ends by the ledger's clock", () => {
  saveLink("C", certificate, link, NOW);
  saveLink("C", compromise, link, NOW + 1n);
  saveLink("D", certificate, link, NOW + 2n);
  const first = { contractId: "C", method: "register_meter", other: "H", link, signedAt: Number(NOW) };
  const second = { contractId: "C", method: "resolve_dispute", other: "I", link, signedAt: Number(NOW) + 1, transaction: "10000003000001", kwh: "5" };
  const end = NOW + BigInt(SIGNATURE_HOLDS);
  assert.deepEqual(savedLinks("C", end - 1n), [second, first]);
  assert.deepEqual(savedLinks("C", end), [second]);
  assert.deepEqual(savedLinks("C", end + 1n), []);
});
