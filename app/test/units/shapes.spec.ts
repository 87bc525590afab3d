// What other pages of the same server have stored under this page's keys breaks nothing.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Keypair, StrKey } from "@stellar/stellar-sdk";
import type { Chain } from "../../src/chain/chain.js";
import { Cache } from "../../src/chain/cache.js";
import { openDisputes } from "../../src/chain/disputes.js";
import { lifeOf } from "../../src/chain/life.js";
import { openToken } from "../../src/chain/token.js";
import { recallDraft } from "../../src/parts/draft.js";
import type { Row } from "../../src/person/books.js";
import { acceptedOffers, acceptOffer, keepWaiting, waitingFor } from "../../src/person/inbox.js";
import { keepOwnName, readNames, readOwnName } from "../../src/person/names.js";
import { communities, forgetPlace, nameCommunity, readPlace } from "../../src/person/place.js";
import { keepReceipt, paymentOf } from "../../src/person/receipts.js";
import { isTrusted } from "../../src/person/trust.js";
import { hasSigned } from "../../src/signing/kept.js";
import { savedLinks } from "../../src/signing/outbox.js";
import { browserKey } from "../../src/wallet/browserKey.js";
import { playKey } from "../../src/wallet/playKey.js";
import { readLanguage } from "../../src/words/words.js";

const network = { name: "testnet", passphrase: "Test SDF Network ; September 2015", rpcUrl: "https://rpc", friendbotUrl: "https://friendbot" };
const playground = { name: "local", passphrase: "Standalone Network ; February 2017", rpcUrl: "http://127.0.0.1:8000" };
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
    player: await playKey.reconnect(playground),
    links: savedLinks("C", 5n),
    signed: hasSigned({ network, contractId: "C" } as unknown as Chain, "ME"),
    language: readLanguage(),
  };
}

const KEYS = ["place", "communities", "chosen", "waiting", "accepted", "names", "own name", "receipts", "trusted", "draft offer", "key on testnet", "language", "play key", "links", "signed testnet C ME"];
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
  player: undefined,
  links: [],
  signed: false,
  language: "en",
};

const odd = [
  "null",
  "5",
  "true",
  "{}",
  "[]",
  "[null]",
  '["x"]',
  "[{}]",
  `{"kwh":5,"secret":1,"rpcUrl":"${playground.rpcUrl}","transaction":5}`,
  '[{"contractId":"C","other":"ME","until":1.5,"through":"x","method":"m","link":"no link","signedAt":1}]',
  "{",
];
for (const text of odd)
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

/** A chain of which nothing is on the ledger, which remembers this under every key, and what it is told to remember. */
function chainThatRecalls(value: unknown) {
  const remembered: unknown[] = [];
  const chain = {
    contractId: StrKey.encodeContract(new Uint8Array(32).fill(1)),
    network,
    cache: new Cache(),
    memory: { recall: () => value, remember: (_: string, value: unknown) => remembered.push(value) },
    rpc: {
      entries: () => Promise.resolve({ latestLedger: 9, found: [], find: () => undefined }),
      call: (_: string, name: string) => Promise.resolve(name === "symbol" ? "EUR" : 6),
    },
    records: () => Promise.resolve([]),
    prosumerCount: () => Promise.resolve(0n),
  } as unknown as Chain;
  return { chain, remembered };
}

const issuer = Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(1)).publicKey();
const ofTokens = [
  { symbol: 5, decimals: 7, asset: null },
  { symbol: "USD", decimals: "7", asset: null },
  { symbol: "USD", decimals: 7 },
  { symbol: "USD", decimals: 7, asset: { code: "USD", issuer: "nobody" } },
  { symbol: "USD", decimals: 7, asset: { code: "U D", issuer } },
];
const ofDisputes = [
  { counts: 5, open: [], readAt: 1 },
  { counts: [1.5], open: [], readAt: 1 },
  { counts: [-1], open: [], readAt: 1 },
  { counts: [], open: ["x"], readAt: 1 },
  { counts: [], open: ["18446744073709551616"], readAt: 1 },
  { counts: [], open: [], readAt: "x" },
];

for (const value of [null, 5, "x", [], {}, ...ofTokens, ...ofDisputes])
  test(`the chain takes ${JSON.stringify(value)} in its memory for nothing`, async () => {
    const { chain, remembered } = chainThatRecalls(value);
    const { symbol, decimals, asset } = await openToken(chain, StrKey.encodeContract(new Uint8Array(32).fill(2)));
    assert.deepEqual({ symbol, decimals, asset }, { symbol: "EUR", decimals: 6, asset: undefined });
    assert.deepEqual(await openDisputes(chain, 5n), []);
    assert.equal((await lifeOf(chain)).latestLedger, 9);
    assert.deepEqual(remembered, [{ symbol: "EUR", decimals: 6, asset: null }, { counts: [], open: [], readAt: 5 }]);
  });

test("what the chain remembers of a token and of disputes is used", async () => {
  const kind = { symbol: "USD", decimals: 7, asset: { code: "USD", issuer } };
  assert.deepEqual((await openToken(chainThatRecalls(kind).chain, "C")).asset, kind.asset);
  const { chain, remembered } = chainThatRecalls({ counts: [2], open: [], readAt: 4 });
  await openDisputes(chain, 5n);
  assert.deepEqual(remembered, [{ counts: [2], open: [], readAt: 5 }]);
});
