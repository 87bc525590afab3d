// A play key is taken from a link on a network of this machine only, and touches nothing that the browser remembers of others.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Keypair, StrKey } from "@stellar/stellar-sdk";
import { recall, remember } from "../../src/person/memory.js";
import { findNetwork, isPlayground, networks, type Network } from "../../src/chain/networks.js";
import { readPlace } from "../../src/person/place.js";
import { forgetPlayKey, playKey } from "../../src/wallet/playKey.js";

const CONTRACT = StrKey.encodeContract(Buffer.alloc(32, 7));
const LOCAL = `?contract=${CONTRACT}&network=local&rpc=http%3A%2F%2F127.0.0.1%3A9000%2Frpc`;
const OTHER_LOCAL = `?contract=${CONTRACT}&network=local&rpc=http%3A%2F%2F127.0.0.1%3A9001%2Frpc`;
const TESTNET = `?contract=${CONTRACT}&network=testnet`;
const alice = Keypair.random();
const bob = Keypair.random();
const play = (who: Keypair, view = "") => `#/play/${who.secret()}${view}`;

class Memory {
  readonly entries = new Map<string, string>();
  getItem = (key: string) => this.entries.get(key) ?? null;
  setItem = (key: string, value: string) => void this.entries.set(key, value);
  removeItem = (key: string) => void this.entries.delete(key);
}

/** A browser's tab, as far as the page looks at it. */
class Tab {
  readonly session = new Memory();
  address = new URL("http://127.0.0.1:4173/");

  constructor(readonly local: Memory) {}

  /** Loads the page at an address, and returns who is played there. */
  async load(search: string, hash = ""): Promise<string | undefined> {
    this.address = new URL(search + hash, "http://127.0.0.1:4173/");
    const replaceState = (_: unknown, __: string, url: string) => void (this.address = new URL(url, this.address));
    const globals = {
      location: () => this.address,
      history: () => ({ replaceState }),
      sessionStorage: () => this.session,
      localStorage: () => this.local,
    };
    for (const [name, get] of Object.entries(globals)) Object.defineProperty(globalThis, name, { get, configurable: true });
    const opening = readPlace();
    if (!opening || !("place" in opening)) return undefined;
    opening.keep();
    return (await playKey.reconnect(opening.place.network))?.address;
  }

  get holdsSecret(): boolean {
    return [...this.session.entries.values(), ...this.local.entries.values(), this.address.href].some((text) =>
      [alice, bob].some((keypair) => text.includes(keypair.secret())),
    );
  }
}

test("only a network of this machine with the standalone passphrase is a playground", () => {
  const local = networks.find(({ name }) => name === "local") as Network;
  assert.equal(isPlayground(local), true);
  for (const network of networks) assert.equal(isPlayground(network), network === local, network.name);
  assert.equal(isPlayground({ ...local, passphrase: networks[0]?.passphrase ?? "" }), false);
  for (const rpcUrl of ["https://127.0.0.1/rpc", "http://127.0.0.1.example.org/rpc", "http://example.org/rpc"])
    assert.equal(isPlayground({ ...local, rpcUrl }), false, rpcUrl);
  assert.equal(findNetwork("local", "http://example.org/rpc")?.rpcUrl, local.rpcUrl);
});

test("a link opens its person and view, and the address bar forgets the secret", async () => {
  const tab = new Tab(new Memory());
  assert.equal(await tab.load(LOCAL, play(alice, "/agreement/1000001")), alice.publicKey());
  assert.equal(tab.address.search + tab.address.hash, `${LOCAL}#/agreement/1000001`);
  assert.equal(await tab.load(LOCAL), alice.publicKey());
  await tab.load(LOCAL, play(alice));
  assert.equal(tab.address.hash, "#/home");
});

test("each tab has its own person, and another link changes that of its tab", async () => {
  const local = new Memory();
  const [one, two] = [new Tab(local), new Tab(local)];
  assert.equal(await one.load(LOCAL, play(alice)), alice.publicKey());
  assert.equal(await two.load(LOCAL, play(bob)), bob.publicKey());
  assert.equal(await one.load(LOCAL), alice.publicKey());
  assert.equal(await one.load(LOCAL, play(bob)), bob.publicKey());
  assert.equal(await new Tab(local).load(LOCAL), undefined);
});

test("a play key for any other network is dropped, and kept nowhere", async () => {
  for (const search of [TESTNET, TESTNET.replace("testnet", "mainnet"), LOCAL.replace("local", "unknown"), ""]) {
    const tab = new Tab(new Memory());
    assert.equal(await tab.load(search, play(alice)), undefined, search);
    assert.equal(tab.holdsSecret, false, search);
    assert.equal(tab.session.entries.size, 0, search);
  }
});

test("what is no key is dropped", async () => {
  const tab = new Tab(new Memory());
  for (const hash of ["#/play/", "#/play/SECRET", `#/play/${alice.publicKey()}`]) assert.equal(await tab.load(LOCAL, hash), undefined, hash);
  assert.equal(tab.session.entries.size, 0);
});

test("a play link within a play link is nothing that loading again would follow", async () => {
  const tab = new Tab(new Memory());
  assert.equal(await tab.load(LOCAL, `${play(alice)}${play(bob).slice(1)}`), alice.publicKey());
  assert.equal(tab.address.hash, "#/home");
  assert.equal(await tab.load(LOCAL), alice.publicKey());
});

test("a play key signs on its own network only", async () => {
  const tab = new Tab(new Memory());
  await tab.load(LOCAL, play(alice));
  assert.equal(await tab.load(OTHER_LOCAL), undefined);
  assert.equal(await tab.load(TESTNET), undefined);
  assert.equal(await tab.load(LOCAL), alice.publicKey());
});

test("playing changes nothing that the browser remembers: neither a key, nor a community, nor a name", async () => {
  const local = new Memory();
  const browser = new Tab(local);
  await browser.load(TESTNET);
  remember("key on testnet", "a key");
  remember("key on local", "another key");
  remember("names", { GA: "Anna" });
  const before = [...local.entries];
  assert.deepEqual(
    before.map(([key]) => key),
    ["communities", "place", "key on testnet", "key on local", "names"],
  );
  const tab = new Tab(local);
  await tab.load(LOCAL, play(alice));
  remember("names", { GB: "Bob" });
  remember("wallet", "play");
  remember("pending", undefined);
  assert.deepEqual([...local.entries], before);
  assert.equal(recall("key on local"), undefined);
  await browser.load(TESTNET);
  assert.deepEqual(recall("names"), { GA: "Anna" });
});

test("once it is disconnected the key is gone, and the tab still changes nothing of others", async () => {
  const local = new Memory();
  const tab = new Tab(local);
  await tab.load(LOCAL, play(alice));
  forgetPlayKey(findNetwork("local", "http://127.0.0.1:9000/rpc") as Network);
  assert.equal(tab.holdsSecret, false);
  assert.equal(await tab.load(LOCAL), undefined);
  assert.equal(local.entries.size, 0);
});
