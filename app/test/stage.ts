// What a scene plays on: a network and a contract of its own, a proxy in front of the network, and its people.

import assert from "node:assert/strict";
import { Keypair, Networks } from "@stellar/stellar-sdk";
import type { Browser } from "@playwright/test";
import { deployFor, startNetwork, type Contract, type LocalNetwork } from "../neighbourhood/network.js";
import { Actor } from "./actor.js";
import { Person, type PersonOptions } from "./person.js";
import { RpcProxy } from "./proxy.js";
import { createToken, type Token, type TokenKind } from "./token.js";

const TESTNET = "https://soroban-testnet.stellar.org";

export class Stage {
  readonly people: Person[] = [];
  readonly admin: Actor;

  private constructor(
    private readonly browser: Browser,
    readonly siteUrl: string,
    readonly network: LocalNetwork,
    readonly rpc: RpcProxy,
    readonly contract: Contract,
    readonly token: Token,
    adminKey: Keypair,
  ) {
    this.admin = new Actor(network, contract, adminKey);
  }

  /** With `asTestnet` the network stands in for testnet, which some wallets know and the local one not. */
  static async open(browser: Browser, siteUrl: string, kind: TokenKind = "native", asTestnet = false): Promise<Stage> {
    const network = await startNetwork({ passphrase: asTestnet ? Networks.TESTNET : Networks.STANDALONE });
    const admin = Keypair.random();
    await network.fund(admin.publicKey());
    const token = await createToken(network, kind);
    const contract = await deployFor(network, admin, token.contractId);
    return new Stage(browser, siteUrl, network, await RpcProxy.start(network.url), contract, token, admin);
  }

  /** The query that opens the contract, by way of the proxy. */
  get query(): string {
    if (this.isTestnet) return `?${new URLSearchParams({ contract: this.contract.contractId, network: "testnet" })}`;
    return `?${new URLSearchParams({ contract: this.contract.contractId, network: "local", rpc: this.rpc.rpcUrl })}`;
  }

  private get isTestnet(): boolean {
    const testnet: string = Networks.TESTNET;
    return this.network.passphrase === testnet;
  }

  /** An account with 10,000 XLM, and with some of the token if that is another. */
  async fund(keypair: Keypair): Promise<void> {
    await this.network.fund(keypair.publicKey());
    await this.token.give(keypair);
  }

  /** Somebody without a page. */
  async actor({ registered = true, keypair = Keypair.random() } = {}): Promise<Actor> {
    const actor = new Actor(this.network, this.contract, keypair);
    await this.fund(keypair);
    if (registered) await actor.register();
    return actor;
  }

  /** Somebody with a browser of their own. */
  async person(name: string, options: PersonOptions = {}): Promise<Person> {
    const { keypair = Keypair.random(), registered = false, funded = true } = options;
    const actor = new Actor(this.network, this.contract, keypair);
    if (funded) await this.fund(keypair);
    if (registered) await actor.register();
    const person = await Person.meet(this.browser, this, name, actor, options);
    this.people.push(person);
    if (this.isTestnet) await person.redirect(TESTNET, this.rpc.url);
    return person;
  }

  /** The ledger's time, in Unix seconds. */
  async now(): Promise<number> {
    return Number((await this.network.server.getLatestLedger()).closeTime);
  }

  async advance(seconds: number): Promise<void> {
    await this.network.advance(seconds);
  }

  /** No page complained, unless the scene took it out, broke its content security policy, or asked anybody but its own server and the network. */
  check(): void {
    const own = [this.siteUrl, this.rpc.url, ...(this.isTestnet ? [TESTNET] : [])].map((url) => new URL(url).host);
    for (const { name, complaints, hosts } of this.people) {
      const others = [...hosts].filter((host) => host && !own.includes(host));
      assert.deepEqual({ name, complaints, others }, { name, complaints: [], others: [] });
    }
  }

  async close(): Promise<void> {
    try {
      for (const { context } of this.people) await context.close();
    } finally {
      this.rpc.stop();
      await this.network.stop();
    }
  }
}
