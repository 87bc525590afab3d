// What a scene plays on: a network and a contract of its own, a proxy in front of the network, and its people.

import assert from "node:assert/strict";
import { Asset, Keypair, Operation } from "@stellar/stellar-sdk";
import type { Browser } from "@playwright/test";
import { deploy, startNetwork, submit, type Contract, type LocalNetwork } from "../neighbourhood/network.js";
import { Actor } from "./actor.js";
import { Person, type PersonOptions } from "./person.js";
import { RpcProxy } from "./proxy.js";

/** What the contract pays with: XLM, or another asset, whose name this is. */
export type Token = "native" | (string & {});

/** What everybody has of a token that is not XLM. */
const STARTING_BALANCE = "500";

export class Stage {
  readonly people: Person[] = [];
  readonly admin: Actor;

  private constructor(
    private readonly browser: Browser,
    readonly siteUrl: string,
    readonly network: LocalNetwork,
    readonly rpc: RpcProxy,
    readonly contract: Contract,
    private readonly asset: Asset,
    private readonly issuer: Keypair,
    adminKey: Keypair,
  ) {
    this.admin = new Actor(network, contract, adminKey);
  }

  static async open(browser: Browser, siteUrl: string, token: Token = "native"): Promise<Stage> {
    const network = await startNetwork();
    const [admin, issuer] = [Keypair.random(), Keypair.random()];
    await network.fund(issuer.publicKey());
    const asset = token === "native" ? Asset.native() : new Asset(token, issuer.publicKey());
    const contract = await deploy(network, admin, asset);
    return new Stage(browser, siteUrl, network, await RpcProxy.start(network.url), contract, asset, issuer, admin);
  }

  /** The query that opens the contract, by way of the proxy. */
  get query(): string {
    return `?${new URLSearchParams({ contract: this.contract.contractId, network: "local", rpc: this.rpc.rpcUrl })}`;
  }

  /** An account with 10,000 XLM, and with some of the token if that is another asset. */
  async fund(keypair: Keypair): Promise<void> {
    await this.network.fund(keypair.publicKey());
    if (this.asset.isNative()) return;
    const { asset, issuer } = this;
    const source = keypair.publicKey();
    const trust = Operation.changeTrust({ asset, source });
    const payment = Operation.payment({ destination: source, asset, amount: STARTING_BALANCE });
    await submit(this.network, [trust, payment], [issuer, keypair]);
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
    const own = [this.siteUrl, this.rpc.url].map((url) => new URL(url).host);
    for (const { name, complaints, hosts } of this.people) {
      assert.deepEqual(complaints, [], name);
      assert.deepEqual(
        [...hosts].filter((host) => host && !own.includes(host)),
        [],
        name,
      );
    }
  }

  async close(): Promise<void> {
    for (const { context } of this.people) await context.close();
    this.rpc.stop();
    await this.network.stop();
  }
}
