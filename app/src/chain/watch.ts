// Whether anything has changed on the ledger, asked with one request: the contract's events tell what.

import { Address, xdr } from "@stellar/stellar-sdk";
import { TRANSACTION_STEP } from "../contract/limits.js";
import { contractIdOf, XLM_ASSET } from "./asset.js";
import { EVERYTHING, listOf, skewOf, type Chain } from "./chain.js";
import { toNative } from "./native.js";
import { RpcError, type ContractEvent, type EventFilter, type Events } from "./rpc.js";
import { balanceOf } from "./token.js";

/** More events than these are not worth reading one by one: then everything is read anew. */
const MOST_EVENTS = 200;

/** What a look has found. */
export interface Seen {
  /** By how many seconds the ledger's clock is ahead of this machine's. */
  skew: number;
  /** Whether something that was read may be different now. */
  changed: boolean;
}

export class Watch {
  constructor(
    private readonly chain: Chain,
    private readonly tokenId: string,
    /** The last ledger whose changes are known. */
    private ledger: number,
  ) {}

  /** Forgets what has changed since the last look, in the contract or in what this account has. */
  async look(me: string | undefined): Promise<Seen> {
    const events = await this.eventsSince(me);
    if (!events) return this.startAnew();
    const skew = skewOf(events.closeTime);
    const changed = events.events.filter(({ ledger }) => ledger > this.ledger).flatMap(subjects);
    this.ledger = events.latestLedger;
    return { skew, changed: this.chain.cache.forget(changed, BigInt(Math.floor(Date.now() / 1000 + skew))) };
  }

  /** The events from the last known ledger on, or undefined if the RPC does not tell all of them at once. */
  private async eventsSince(me: string | undefined): Promise<Events | undefined> {
    const filters: EventFilter[] = [{ contractIds: [this.chain.contractId] }, ...(me ? [this.transfers(me)] : [])];
    try {
      const events = await this.chain.rpc.events(this.ledger, filters, MOST_EVENTS);
      const whole = events.events.length < MOST_EVENTS && ledgerOf(events.cursor) >= events.latestLedger;
      return whole && events.closeTime > 0 ? events : undefined;
    } catch (error) {
      // An RPC answers like this if it does not have this ledger: any more, or not yet.
      if (error instanceof RpcError) return undefined;
      throw error;
    }
  }

  private async startAnew(): Promise<Seen> {
    const { sequence, closeTime } = await this.chain.rpc.latestLedger();
    this.ledger = sequence;
    this.chain.cache.forgetAll();
    return { skew: skewOf(closeTime), changed: true };
  }

  /** Payments of the token and of XLM to and from an account. An asset's name is the last topic, and other tokens have none. */
  private transfers(me: string): EventFilter {
    const [transfer, account] = [xdr.ScVal.scvSymbol("transfer"), Address.fromString(me).toScVal()].map((topic) => topic.toXdr("base64"));
    const topics = [
      [transfer, account, "*"],
      [transfer, "*", account],
    ] as string[][];
    const xlm = contractIdOf(XLM_ASSET, this.chain.network.passphrase);
    return { contractIds: [...new Set([this.tokenId, xlm])], topics: topics.flatMap((topic) => [topic, [...topic, "*"]]) };
  }
}

/** What an event tells of, by the names that the cache knows: its topics are a name, addresses and ids. */
function subjects({ topics }: ContractEvent): string[] {
  const [name, ...about] = topics.map(toNative);
  const addresses = about.filter((part) => typeof part === "string");
  if (name === "transfer") return addresses.map(balanceOf);
  const ids = about.filter((part) => typeof part === "bigint").map((id) => String(id % TRANSACTION_STEP));
  return [...addresses, ...ids, ...(name === "agreement_created" ? addresses.map(listOf) : []), EVERYTHING];
}

/** The ledger in which a page of events ends: its number is the upper half of the cursor's first part. */
const ledgerOf = (cursor: string): number => Number(BigInt(cursor.replace(/-.*$/, "")) >> 32n);
