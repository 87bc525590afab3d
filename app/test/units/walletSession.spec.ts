// What the page believes of a wallet on a phone: a relay and a wallet of this file, and the page's own client.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Keypair } from "@stellar/stellar-sdk";
import { agreeOnKey, open, publicKeyOf, randomHex, seal, topicOf } from "../../src/wallet/walletConnect/envelope.js";
import { Session, SIGN_TRANSACTION, type SavedSession } from "../../src/wallet/walletConnect/session.js";

const CHAIN = "stellar:testnet";
const NOW = 1_795_860_000;
const WEEK = 7 * 24 * 60 * 60;
const address = Keypair.fromRawEd25519Seed(new Uint8Array(32).fill(1)).publicKey();

/** The expiry that the wallet tells when it agrees to a session. */
let told: unknown;
/** Gives the page a message of the wallet. */
let deliver: (topic: string, message: string) => void;
/** The keys of the pairing, which the code has, and of the session. */
let pairingKey: string;
let sessionKey: string;

interface Frame {
  id: number;
  method?: string;
  params: { topic: string; message: string; tag: number };
}

class RelayWithWallet {
  static readonly OPEN = 1;
  readonly readyState = 1;
  onopen = () => {};
  onmessage: (event: { data: string }) => void = () => {};

  constructor() {
    deliver = (topic, message) => this.say({ id: 1, method: "irn_subscription", params: { data: { topic, message } } });
    queueMicrotask(() => this.onopen());
  }

  send(text: string): void {
    const { id, method, params } = JSON.parse(text) as Frame;
    if (!method) return;
    this.say({ id, result: method === "irn_fetchMessages" ? { messages: [] } : true });
    // The page shows the code once it has proposed.
    if (method === "irn_publish" && params.tag === 1100) queueMicrotask(() => this.agree(params));
    if (method === "irn_subscribe" && sessionKey && params.topic === topicOf(sessionKey)) this.settle(params.topic);
  }

  close(): void {}

  private say(frame: object): void {
    queueMicrotask(() => this.onmessage({ data: JSON.stringify({ jsonrpc: "2.0", ...frame }) }));
  }

  private agree({ topic, message }: Frame["params"]): void {
    const { id, params } = open(pairingKey, message) as { id: number; params: { proposer: { publicKey: string } } };
    const secretKey = randomHex(32);
    sessionKey = agreeOnKey(secretKey, params.proposer.publicKey);
    deliver(topic, seal(pairingKey, { id, result: { responderPublicKey: publicKeyOf(secretKey) } }));
  }

  private settle(topic: string): void {
    const namespaces = { stellar: { accounts: [`${CHAIN}:${address}`], methods: [SIGN_TRANSACTION] } };
    deliver(topic, seal(sessionKey, { id: 2, method: "wc_sessionSettle", params: { namespaces, expiry: told } }));
  }
}

const { now } = Date;
const browser = {
  document: { visibilityState: "visible", addEventListener() {}, removeEventListener() {}, querySelector: () => null },
  addEventListener() {},
  removeEventListener() {},
  location: new URL("https://example.org/"),
  WebSocket: RelayWithWallet,
};
const before = new Map(Object.keys(browser).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
test.beforeAll(() => {
  for (const [name, value] of Object.entries(browser)) Object.defineProperty(globalThis, name, { value, configurable: true });
  Date.now = () => NOW * 1000;
});
test.afterAll(() => {
  for (const [name, descriptor] of before) {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    else Reflect.deleteProperty(globalThis, name);
  }
  Date.now = now;
});

/** The expiries that the page remembers for those that a wallet tells: a week from now is the longest. */
const expiries: [told: unknown, kept: number][] = [
  [NOW + 60, NOW + 60],
  [NOW + WEEK, NOW + WEEK],
  [NOW + WEEK + 1, NOW + WEEK],
  // In milliseconds.
  [(NOW + 60) * 1000, NOW + WEEK],
  [NOW + 60.5, NOW + WEEK],
  [1e300, NOW + WEEK],
  [-1, NOW + WEEK],
  [0, NOW + WEEK],
  [null, NOW + WEEK],
  [undefined, NOW + WEEK],
  ["soon", NOW + WEEK],
];

test("a session that a wallet agrees to ends within a week, at a whole second, whatever the wallet tells", async () => {
  for (const [expiry, kept] of expiries) {
    told = expiry;
    sessionKey = "";
    const show = (uri: string) => (pairingKey = new URL(uri).searchParams.get("symKey") ?? "");
    const { saved } = await Session.propose("project", CHAIN, { show, title: "", signal: new AbortController().signal });
    assert.deepEqual([saved?.address, saved?.expiry], [address, kept], String(expiry));
  }
});

test("a session that a wallet extends ends within a week, at a whole second, whatever the wallet tells", async () => {
  const saved: SavedSession = { identity: Keypair.random().secret(), key: randomHex(32), chain: CHAIN, address, methods: [SIGN_TRANSACTION], expiry: NOW + 1 };
  const session = Session.resume("project", saved);
  assert.ok(session);
  for (const [place, [expiry, kept]] of expiries.entries()) {
    const extended = new Promise<SavedSession>((resolve) => (session.events.onExtended = resolve));
    deliver(topicOf(saved.key), seal(saved.key, { id: place, method: "wc_sessionExtend", params: { expiry } }));
    assert.deepEqual(await extended, { ...saved, expiry: kept }, String(expiry));
  }
});
