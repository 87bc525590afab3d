// What other pages of the same server have stored under this page's keys breaks nothing.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { recallDraft } from "../../src/parts/draft.js";
import type { Row } from "../../src/person/books.js";
import { acceptedOffers, acceptOffer, keepWaiting, waitingFor } from "../../src/person/inbox.js";
import { keepOwnName, readNames, readOwnName } from "../../src/person/names.js";
import { communities, forgetPlace, nameCommunity, readPlace } from "../../src/person/place.js";
import { keepReceipt, paymentOf } from "../../src/person/receipts.js";
import { isTrusted } from "../../src/person/trust.js";
import { browserKey } from "../../src/wallet/browserKey.js";
import { readLanguage } from "../../src/words/words.js";

const network = { name: "testnet", passphrase: "Test SDF Network ; September 2015", rpcUrl: "https://rpc", friendbotUrl: "https://friendbot" };
const row = { transaction: { agreement_id: 1n, transaction_id: 1n, settled_at: 1n } } as Row;
const codes = { contract: { kind: "other" }, token: { kind: "other" } } as const;

const stored = new Map<string, string>();
const storage = {
  getItem: (key: string) => stored.get(key) ?? null,
  setItem: (key: string, text: string) => stored.set(key, text),
  removeItem: (key: string) => stored.delete(key),
};

function store(values: Record<string, string>): void {
  stored.clear();
  for (const [key, text] of Object.entries(values)) stored.set(key, text);
}

test.beforeAll(() => {
  const globals = { localStorage: storage, sessionStorage: storage, location: { search: "", hash: "", pathname: "/", assign: () => undefined }, navigator: {} };
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true });
});

/** Everything that is read when the page begins or a view is shown. */
async function readAll() {
  return {
    place: readPlace(),
    communities: communities(),
    waiting: waitingFor("C", "ME"),
    accepted: acceptedOffers("C", [1n]),
    names: readNames(),
    ownName: readOwnName(),
    payment: paymentOf("C")(row),
    trusted: isTrusted("C", codes),
    draft: recallDraft("offer", { kwh: "", price: "1" }),
    wallet: await browserKey.reconnect(network),
    language: readLanguage(),
  };
}

const KEYS = ["place", "communities", "chosen", "waiting", "accepted", "names", "own name", "receipts", "trusted", "draft offer", "key on testnet", "language"];
const nothing = {
  place: undefined,
  communities: [],
  waiting: [],
  accepted: new Set(),
  names: {},
  ownName: "",
  payment: undefined,
  trusted: false,
  draft: { kwh: "", price: "1" },
  wallet: undefined,
  language: "en",
};

for (const text of ["null", "5", "true", "{}", "[]", "[null]", '["x"]', "[{}]", '{"kwh":5,"secret":1}', '[{"contractId":"C","other":"ME","until":1.5,"through":"x"}]', "{"])
  test(`${text} under every key counts as nothing`, async () => {
    store(Object.fromEntries(KEYS.map((key) => [key, text])));
    assert.deepEqual(await readAll(), nothing);
    nameCommunity("C", "x");
    forgetPlace();
  });

test("what is of the right kind stays beside what is not", () => {
  const waiting = { contractId: "C", other: "ME", entry: "e", method: "m", signer: "s", until: 7 };
  const known = { contractId: "C", network: "testnet", rpc: null };
  store({
    waiting: JSON.stringify([5, waiting, { ...waiting, entry: 1 }]),
    accepted: '[5,"C 1"]',
    communities: JSON.stringify([null, known, { ...known, rpc: 5 }]),
  });
  assert.deepEqual([waitingFor("C", "ME"), acceptedOffers("C", [1n, 2n]), communities()], [[waiting], new Set([1n]), [known]]);
  keepWaiting({ ...waiting, entry: "f" });
  acceptOffer("C", 2n);
  keepOwnName("Bob");
  assert.deepEqual([waitingFor("C", "ME").map(({ entry }) => entry), acceptedOffers("C", [1n, 2n]), readOwnName()], [["f", "e"], new Set([1n, 2n]), "Bob"]);
});

test("what a call was charged is found for what it settled, though the network tells its time as a text", () => {
  store({});
  const call = { method: "settle_agreement", args: { agreement_id: 1n, through: 1n, settler: "ME" } } as const;
  keepReceipt("C", call, { hash: "abc", fee: 5n, at: "1" });
  assert.deepEqual([paymentOf("C")(row), paymentOf("D")(row)], [{ hash: "abc", fee: 5n }, undefined]);
});
