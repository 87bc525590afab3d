// The contract on its network: what everyone can read, without a wallet.

import { Address, xdr } from "@stellar/stellar-sdk";
import {
  AgreementStatus,
  TransactionStatus,
  type AgreementEntry,
  type AgreementState,
  type Config,
  type EnergyAgreement,
  type EnergyTransaction,
  type Prosumer,
  type TransactionState,
} from "../../client/src/index.js";
import { MAX_PAGE, TRANSACTION_STEP } from "../contract/limits.js";
import { readStoredAgreement, readStoredProsumer, stateIn } from "../contract/record.js";
import type { Delivery } from "../contract/rules.js";
import { ContractProblem, Problem } from "../words/problem.js";
import { Cache } from "./cache.js";
import { recordKey } from "./keys.js";
import type { Network } from "./networks.js";
import { Requests } from "./requests.js";
import { answerOf, Rpc } from "./rpc.js";

export const NOT_REGISTERED = 5;

/** How many agreements are read at a time. */
const AT_A_TIME = 8;

/** The name by which the cache knows a prosumer's list of agreements: what is in it changes with a further one only. */
export const listOf = (prosumer: string) => `agreements of ${prosumer}`;

/** The name by which the cache knows whatever depends on all records. */
export const EVERYTHING = "everything";

/** What this browser remembers; it may be nothing. */
export interface Memory {
  recall: (key: string) => unknown;
  remember: (key: string, value: unknown) => void;
}

export interface StoredRecord {
  key: xdr.ScVal;
  val: xdr.ScVal;
}

export class Chain {
  readonly network: Network;
  readonly contractId: string;
  readonly requests: Requests;
  readonly rpc: Rpc;
  readonly cache = new Cache();

  constructor(
    { network, contractId }: { network: Network; contractId: string },
    readonly memory: Memory,
  ) {
    this.network = network;
    this.contractId = contractId;
    const { rpcUrl, otherRpcUrls = [], passphrase } = network;
    this.requests = new Requests([rpcUrl, ...otherRpcUrls], passphrase);
    this.rpc = new Rpc(this.requests);
  }

  /** What a function of the contract answers. It throws the contract's error. */
  private get<T>(name: string, ...args: xdr.ScVal[]): Promise<T> {
    return answerOf(this.rpc.call<T>(this.contractId, name, args));
  }

  /** What the contract stores under these keys, as far as it is on the ledger: what is archived is not. */
  async records(keys: xdr.ScVal[]): Promise<StoredRecord[]> {
    const { found } = await this.rpc.entries(keys.map((key) => recordKey(this.contractId, key)));
    return found.flatMap(({ val }) => (val.type === "contractData" ? [{ key: val.contractData.key, val: val.contractData.val }] : []));
  }

  config(): Promise<Config> {
    return this.get("get_config");
  }

  /** A prosumer's record, or undefined if the address is not registered. */
  prosumer(prosumer: string): Promise<Prosumer | undefined> {
    return this.cache.read(
      `prosumer ${prosumer}`,
      async () => {
        const key = address(prosumer);
        // Who has no record is not registered, or it is archived: the contract knows.
        return inRecord(await this.records([key]), readStoredProsumer) ?? ifRegistered(this.get<Prosumer>("get_prosumer", key));
      },
      () => ({ about: [prosumer] }),
    );
  }

  /** How many prosumers are registered. */
  prosumerCount(): Promise<bigint> {
    return this.get("get_prosumer_count");
  }

  /** An agreement, and what has come of it so far. */
  agreement(agreement_id: bigint): Promise<AgreementEntry> {
    return this.cache.read(
      `agreement ${agreement_id}`,
      async () => {
        const [agreement, state] = await Promise.all([
          this.get<EnergyAgreement>("get_agreement", u64(agreement_id)),
          this.get<AgreementState>("get_agreement_state", u64(agreement_id)),
        ]);
        return { agreement, state };
      },
      (entry) => aboutEntries([entry]),
    );
  }

  /** An agreement without what has come of it. */
  terms(agreement_id: bigint): Promise<EnergyAgreement> {
    return this.cache.read(
      `terms of ${agreement_id}`,
      () => this.get<EnergyAgreement>("get_agreement", u64(agreement_id)),
      (agreement) => aboutAgreements([agreement]),
    );
  }

  /** The same as `agreement`, for whoever reads the transactions too: what they do not tell stands in a ledger entry, which is asked for with others. */
  withState(agreement: EnergyAgreement): Promise<AgreementEntry> {
    const { agreement_id } = agreement;
    return this.cache.read(
      `agreement ${agreement_id}`,
      async () => {
        const [records, transactions] = await Promise.all([this.records([u64(agreement_id)]), this.transactions(agreement_id)]);
        const known = inRecord(records, (bytes) => stateIn(readStoredAgreement(bytes, 0n), agreement, transactions));
        return { agreement, state: known ?? (await this.get<AgreementState>("get_agreement_state", u64(agreement_id))) };
      },
      (entry) => aboutEntries([entry]),
    );
  }

  /** A prosumer's agreements before one of them, or its newest, the newest first. Whoever is not registered has none. */
  async agreementPage(prosumer: string, before: bigint | null, limit: number): Promise<AgreementEntry[]> {
    return this.cache.read(
      `${limit} agreements of ${prosumer} before ${before}`,
      async () => {
        const from = before === null ? xdr.ScVal.scvVoid() : u64(before);
        const answer = this.get<AgreementEntry[]>("get_agreement_page", address(prosumer), from, xdr.ScVal.scvU32(limit));
        const page = (await ifRegistered(answer)) ?? [];
        for (const entry of page) this.keep(entry);
        return page;
      },
      (page) => {
        const { about, until } = aboutEntries(page);
        return { about: before === null ? [listOf(prosumer), ...about] : about, until };
      },
    );
  }

  private keep(entry: AgreementEntry): void {
    const { agreement, state } = entry;
    const id = agreement.agreement_id;
    const about = aboutEntries([entry]);
    this.cache.keep(`agreement ${id}`, entry, about);
    this.cache.keep(`terms of ${id}`, agreement, about);
    if (state.transactions > 0n) return;
    this.cache.keep(`transactions of ${id}`, [], about);
    this.cache.keep(`deliveries of ${id}`, [], about);
  }

  /** All of a prosumer's agreements, the newest first: a request for 25. */
  async *entries(prosumer: string): AsyncGenerator<AgreementEntry> {
    for await (const page of this.pages(prosumer)) yield* page;
  }

  private async *pages(prosumer: string): AsyncGenerator<AgreementEntry[]> {
    const limit = Number(MAX_PAGE);
    let before: bigint | null = null;
    for (;;) {
      const page = await this.agreementPage(prosumer, before, limit);
      yield page;
      const last = page[limit - 1];
      if (!last) return;
      before = last.agreement.agreement_id;
    }
  }

  /** All transactions of an agreement, the oldest first. */
  transactions(agreement_id: bigint): Promise<EnergyTransaction[]> {
    return this.cache.read(
      `transactions of ${agreement_id}`,
      () => this.get("get_agreement_transactions", u64(agreement_id)),
      () => ({ about: [String(agreement_id)] }),
    );
  }

  transaction(transaction_id: bigint): Promise<EnergyTransaction> {
    return this.cache.read(
      `transaction ${transaction_id}`,
      () => this.get("get_transaction", u64(transaction_id)),
      () => ({ about: [String(transaction_id % TRANSACTION_STEP)] }),
    );
  }

  /** An agreement's deliveries, the oldest first. */
  deliveries(agreement_id: bigint): Promise<Delivery[]> {
    return this.cache.read(
      `deliveries of ${agreement_id}`,
      async () => {
        const [transactions, states] = await Promise.all([
          this.transactions(agreement_id),
          this.get<TransactionState[]>("get_transaction_states", u64(agreement_id)),
        ]);
        // A delivery that was recorded between the two answers is left out until the next reading: without its state it is not known what can be done about it.
        return transactions
          .slice(0, states.length)
          .map((transaction, place) =>
            transaction.status === TransactionStatus.Settled ? { transaction } : { transaction, state: states[place] },
          );
      },
      () => ({ about: [String(agreement_id)] }),
    );
  }

  /** All transactions of a prosumer, in no certain order. Tells how many agreements it has read, where that takes more than one request. */
  history(prosumer: string, onProgress?: (agreements: number) => void, signal?: AbortSignal): Promise<EnergyTransaction[]> {
    return this.cache.read(
      `history of ${prosumer}`,
      async () => {
        try {
          return (await ifRegistered(this.get<EnergyTransaction[]>("get_transaction_history", address(prosumer)))) ?? [];
        } catch (error) {
          if (error instanceof Problem || error instanceof ContractProblem) throw error;
          // The contract's answer ends where the budget of a call ends; pages never do.
          return this.historyByPages(prosumer, onProgress, signal);
        }
      },
      () => ({ about: [prosumer] }),
    );
  }

  private async historyByPages(prosumer: string, onProgress?: (agreements: number) => void, signal?: AbortSignal): Promise<EnergyTransaction[]> {
    const all: EnergyTransaction[] = [];
    let read = 0;
    for await (const page of this.pages(prosumer)) {
      const ids = page.filter(({ state }) => state.transactions > 0n).map(({ agreement }) => agreement.agreement_id);
      for (let from = 0; from < ids.length; from += AT_A_TIME) {
        signal?.throwIfAborted();
        const some = await Promise.all(ids.slice(from, from + AT_A_TIME).map((id) => this.transactions(id)));
        all.push(...some.flat());
      }
      onProgress?.((read += page.length));
    }
    return all;
  }
}

const address = (text: string) => Address.fromString(text).toScVal();
const u64 = (number: bigint) => xdr.ScVal.scvU64(number);

/** By how many seconds the ledger's clock, which tells this time, is ahead of this machine's. */
export const skewOf = (closeTime: number) => closeTime - Date.now() / 1000;

async function ifRegistered<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ContractProblem && error.code === NOT_REGISTERED) return undefined;
    throw error;
  }
}

/** What the first of these records tells; undefined if there is none, or if it is that of another contract. */
function inRecord<T>([record]: StoredRecord[], read: (bytes: Uint8Array) => T): T | undefined {
  try {
    return record?.val.type === "scvBytes" ? read(record.val.value.value) : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const aboutEntries = (entries: AgreementEntry[]) => aboutAgreements(entries.map(({ agreement }) => agreement));

/** An open agreement expires by itself. */
function aboutAgreements(agreements: EnergyAgreement[]): { about: string[]; until?: bigint } {
  const about = agreements.map(({ agreement_id }) => String(agreement_id));
  const deadlines = agreements.flatMap(({ status, delivery_deadline }) => (status === AgreementStatus.Active ? [delivery_deadline] : []));
  return deadlines.length > 0 ? { about, until: deadlines.reduce((first, at) => (at < first ? at : first)) } : { about };
}
