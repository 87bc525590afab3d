// What the page reads of the network, by the methods of its RPC. The SDK's own server reads and writes everything, and is four times as large.

import { Address, xdr } from "@stellar/stellar-sdk";
import { SharingError } from "../../client/src/index.js";
import { ContractProblem, type ErrorCode } from "../words/problem.js";
import { envelopeOf } from "./envelope.js";
import { toNative } from "./native.js";
import type { Requests } from "./requests.js";

/** The most ledger entries of one request. */
export const MOST_ENTRIES = 200;

/** The RPC's own answer that it cannot do what it is asked. */
export class RpcError extends Error {}

/** The network's own words on why a call would fail. */
export class CallFailed extends Error {}

export interface Entry {
  val: xdr.LedgerEntryData;
  /** The last ledger in which it lives, if it is one that expires. */
  liveUntilLedger?: number;
}

export interface Entries {
  latestLedger: number;
  /** Those that are there, in no certain order. */
  found: Entry[];
  find: (key: xdr.LedgerKey) => Entry | undefined;
}

export interface EventFilter {
  contractIds: string[];
  topics?: string[][];
}

export interface ContractEvent {
  ledger: number;
  topics: xdr.ScVal[];
}

export interface Events {
  events: ContractEvent[];
  cursor: string;
  latestLedger: number;
  /** In Unix seconds. */
  closeTime: number;
}

/** Readings that begin together come to ask for their entries some turns of the promise queue apart. Waiting so many turns, which takes no time, makes one
 * request of them: Home takes 4 where it took 7. */
const TURNS = 16;

/** Entries that are going to be asked for, by their keys in base64. */
interface Batch {
  keys: Set<string>;
  answer: Promise<RawEntries>;
}

interface RawEntries {
  latestLedger: number;
  found: Map<string, Entry>;
}

export class Rpc {
  private batch: Batch | undefined;

  constructor(private readonly requests: Requests) {}

  async latestLedger(): Promise<{ sequence: number; /** In Unix seconds. */ closeTime: number }> {
    const { sequence, closeTime } = (await this.ask("getLatestLedger")) as { sequence: number; closeTime: string };
    return { sequence, closeTime: Number(closeTime) };
  }

  async events(startLedger: number, filters: EventFilter[], limit: number): Promise<Events> {
    const params = { startLedger, filters: filters.map((filter) => ({ type: "contract", ...filter })), pagination: { limit } };
    const { events, cursor, latestLedger, latestLedgerCloseTime } = (await this.ask("getEvents", params)) as {
      events: { ledger: number; topic: string[] }[];
      cursor: string;
      latestLedger: number;
      latestLedgerCloseTime: string;
    };
    return {
      events: events.map(({ ledger, topic }) => ({ ledger, topics: topic.map((one) => xdr.ScVal.fromXdr(one, "base64")) })),
      cursor,
      latestLedger,
      closeTime: Number(latestLedgerCloseTime),
    };
  }

  /** Entries of the ledger. Those that several views ask for at the same time are one request. */
  async entries(keys: readonly xdr.LedgerKey[]): Promise<Entries> {
    const asked = keys.map((key) => key.toXdr("base64"));
    this.batch ??= this.nextBatch();
    for (const key of asked) this.batch.keys.add(key);
    const { latestLedger, found } = await this.batch.answer;
    return {
      latestLedger,
      found: [...new Set(asked)].flatMap((key) => found.get(key) ?? []),
      find: (key) => found.get(key.toXdr("base64")),
    };
  }

  private nextBatch(): Batch {
    const keys = new Set<string>();
    const ask = async () => {
      for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
      this.batch = undefined;
      return this.readEntries([...keys]);
    };
    return { keys, answer: ask() };
  }

  private async readEntries(keys: string[]): Promise<RawEntries> {
    const parts = Array.from({ length: Math.ceil(keys.length / MOST_ENTRIES) }, (_, part) => keys.slice(part * MOST_ENTRIES, (part + 1) * MOST_ENTRIES));
    const answers = await Promise.all(parts.map((part) => this.ask("getLedgerEntries", { keys: part })));
    const found = new Map<string, Entry>();
    let latestLedger = 0;
    for (const answer of answers) {
      const { entries, latestLedger: ledger } = answer as {
        entries: { key: string; xdr: string; liveUntilLedgerSeq?: number }[] | null;
        latestLedger: number;
      };
      latestLedger = ledger;
      for (const { key, xdr: data, liveUntilLedgerSeq } of entries ?? [])
        found.set(key, { val: xdr.LedgerEntryData.fromXdr(data, "base64"), liveUntilLedger: liveUntilLedgerSeq });
    }
    return { latestLedger, found };
  }

  /** What a contract's function answers now, as JavaScript has it: the types of `T` are those of the contract's generated client. Nothing is changed. */
  async call<T>(contractId: string, functionName: string, args: xdr.ScVal[] = []): Promise<T> {
    const contractAddress = Address.fromString(contractId).toScAddress();
    const transaction = envelopeOf(new xdr.InvokeContractArgs({ contractAddress, functionName, args }));
    const { error, results } = (await this.ask("simulateTransaction", { transaction })) as { error?: string; results?: { xdr: string }[] };
    const [result] = results ?? [];
    if (error !== undefined || !result) throw new CallFailed(error ?? `${functionName} answers nothing`);
    return toNative(xdr.ScVal.fromXdr(result.xdr, "base64")) as T;
  }

  private async ask(method: string, params?: unknown): Promise<unknown> {
    const answer = await this.requests.post({ jsonrpc: "2.0", id: 1, method, params });
    if (answer.error) throw new RpcError(answer.error.message);
    return answer.result;
  }
}

/** What the sharing contract answers, or its error. */
export async function answerOf<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const [, code = ""] = (error instanceof CallFailed && /Error\(Contract, #(\d+)\)/.exec(error.message)) || [];
    if (code in SharingError) throw new ContractProblem(Number(code) as ErrorCode);
    throw error;
  }
}
