// What the buyer will owe, said before anybody signs.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import type { EnergyAgreement } from "../../client/src/index.js";
import { owedBy } from "../../src/signing/owed.js";
import { de } from "../../src/words/de.js";
import { en } from "../../src/words/en.js";

const chain = { terms: (id: bigint) => Promise.resolve({ price_per_kwh: id === 3_000_001n ? 25n : 0n } as EnergyAgreement) };
const accepted = (energy_accepted_kwh: bigint) =>
  owedBy(chain, { method: "resolve_dispute", args: { transaction_id: 10_000_003_000_001n, energy_accepted_kwh, resolver: "ME" } });

test("what_is_agreed_or_ruled_is_owed_at_the_price_of_its_agreement", async () => {
  assert.deepEqual(await accepted(5n), { kwh: 5n, amount: 125n });
  assert.deepEqual(await accepted(0n), { kwh: 0n, amount: 0n });
});

test("it_is_said_in_both_languages", () => {
  assert.deepEqual(
    [en, de].map(({ sign }) => [sign.owed, sign.owedFor("5 kWh", "1.25 EUR"), sign.owedNothing]),
    [
      ["The buyer will owe", "5 kWh: 1.25 EUR", "Nothing"],
      ["Danach vom Käufer zu zahlen", "5 kWh: 1.25 EUR", "Nichts"],
    ],
  );
});
