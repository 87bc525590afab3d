// The disputes that are open now, from the records of all agreements: complete, whatever events an RPC still has.
// An agreement's id is its seller's number * 1,000,000 + n, so all ids are known; and what is over for ever is remembered.

import { Address, xdr } from "@stellar/stellar-sdk";
import { AgreementStatus, TransactionStatus, type EnergyTransaction } from "../../client/src/index.js";
import { AGREEMENTS_PER_PROVIDER, TRANSACTION_STEP } from "../contract/limits.js";
import { readStoredAgreement, readStoredProsumer } from "../contract/record.js";
import { isDigits, isShape, isWhole } from "../person/shapes.js";
import { ContractProblem } from "../words/problem.js";
import { EVERYTHING, type Chain } from "./chain.js";
import { toNative } from "./native.js";
import { MOST_ENTRIES } from "./rpc.js";

/** A record lives for 120 days at least: where all were read this recently, in seconds, one that is not on the ledger does not exist. */
const FRESH = 100n * 24n * 60n * 60n;
export const AGREEMENT_NOT_FOUND = 6;

/** What is known from before. */
interface Known {
  /** How many agreements each prosumer has created, by its number. */
  counts: number[];
  /** The agreements in which something can still happen. */
  open: string[];
  /** When all were read, in Unix seconds. */
  readAt: number;
}

const isCount = (value: unknown) => isWhole(value) && value >= 0 && value < AGREEMENTS_PER_PROVIDER;
const isId = (value: unknown) => isDigits(value) && BigInt(value) < 2n ** 64n;

const isKnown = isShape<Known>({
  counts: (counts) => Array.isArray(counts) && counts.every(isCount),
  open: (open) => Array.isArray(open) && open.every(isId),
  readAt: isWhole,
});

/** The transactions that are disputed now, the newest agreement first. Tells how many agreements were read so far. */
export function openDisputes(
  chain: Chain,
  now: bigint,
  onProgress?: (agreements: number) => void,
  signal?: AbortSignal,
): Promise<EnergyTransaction[]> {
  return chain.cache.read(
    "disputes",
    async () => {
      const disputed = await new Search(chain, now, onProgress, signal).run();
      const transactions = await Promise.all(disputed.map((id) => chain.transaction(id)));
      return transactions.filter(({ status }) => status === TransactionStatus.Disputed);
    },
    () => ({ about: [EVERYTHING] }),
  );
}

class Search {
  private readonly counts: number[];
  private readonly open = new Set<bigint>();
  private readonly disputed: bigint[] = [];
  /** Everybody whom a record has named, to find the sellers among them. */
  private readonly addresses = new Set<string>();
  private read = 0;
  private readonly key: string;
  private readonly known: Known;

  constructor(
    private readonly chain: Chain,
    private readonly now: bigint,
    private readonly onProgress: (agreements: number) => void = () => undefined,
    private readonly signal?: AbortSignal,
  ) {
    this.key = `agreements of ${chain.contractId} on ${chain.network.passphrase}`;
    const known = chain.memory.recall(this.key);
    this.known = isKnown(known) ? known : { counts: [], open: [], readAt: 0 };
    this.counts = [...this.known.counts];
  }

  /** The ids of the disputed transactions. */
  async run(): Promise<bigint[]> {
    const prosumers = Number(await this.chain.prosumerCount());
    while (this.counts.length < prosumers) this.counts.push(0);
    const missing = await this.readRecords(this.known.open.map(BigInt));
    await this.readFurther();
    if (this.now - BigInt(this.known.readAt) >= FRESH) missing.push(...(await this.readAll()));
    await this.readArchived(missing);
    const open = [...this.open].map(String);
    this.chain.memory.remember(this.key, { counts: this.counts, open, readAt: Number(this.now) } satisfies Known);
    return this.disputed.sort((a, b) => Number((b % TRANSACTION_STEP) - (a % TRANSACTION_STEP)));
  }

  /** Reads what sellers have created since, each until one does not exist: one more of each at first, and then twice as many each time. */
  private async readFurther(): Promise<void> {
    let sellers = [...this.counts.keys()];
    for (let step = 1; sellers.length > 0; step *= 2) {
      const asked = sellers.flatMap((number) => range(number, this.counts[number] ?? 0, step));
      const missing = new Set(await this.readRecords(asked));
      sellers = sellers.filter((number) => {
        const before = this.counts[number] ?? 0;
        const found = range(number, before, step).findIndex((id) => missing.has(id));
        this.counts[number] = before + (found < 0 ? step : found);
        return found < 0;
      });
    }
  }

  /** Reads all agreements though some are archived, as they are after 120 days without use, and answers which those are. */
  private async readAll(): Promise<bigint[]> {
    const [asked, certain, missing] = [new Set<string>(), new Set<number>(), new Array<bigint>()];
    const readUpTo = async (number: number, agreements: number) => {
      certain.add(number);
      const before = this.counts[number] ?? 0;
      if (agreements <= before) return;
      this.counts[number] = agreements;
      missing.push(...(await this.readRecords(range(number, before, agreements - before))));
    };
    for (;;) {
      const addresses = [...this.addresses].filter((address) => !asked.has(address));
      if (addresses.length > 0) {
        for (const address of addresses) asked.add(address);
        const records = await this.entries(addresses.map((address) => Address.fromString(address).toScVal()));
        for (const bytes of records.values()) {
          const { number, agreements } = readStoredProsumer(bytes);
          await readUpTo(Number(number), Number(agreements));
        }
        continue;
      }
      // Whom no record names may have sold only what is archived: the contract still answers it.
      const number = [...this.counts.keys()].find((number) => !certain.has(number));
      if (number === undefined) return missing;
      const provider = await this.sellerOf(idOf(number, 1));
      await readUpTo(number, provider ? Number((await this.chain.prosumer(provider))?.agreements ?? 0n) : 0);
      if (provider) this.addresses.add(provider);
    }
  }

  private async sellerOf(id: bigint): Promise<string | undefined> {
    this.signal?.throwIfAborted();
    try {
      return (await this.chain.agreement(id)).agreement.provider;
    } catch (error) {
      if (error instanceof ContractProblem && error.code === AGREEMENT_NOT_FOUND) return undefined;
      throw error;
    }
  }

  /** Has the contract itself read what is not on the ledger any more. */
  private async readArchived(ids: bigint[]): Promise<void> {
    for (const id of ids) {
      this.signal?.throwIfAborted();
      const { agreement, state } = await this.chain.agreement(id);
      if (agreement.status === AgreementStatus.Active || state.pending_amount > 0n) this.open.add(id);
      if (state.disputed_amount > 0n)
        for (const { transaction_id, status } of await this.chain.transactions(id))
          if (status === TransactionStatus.Disputed) this.disputed.push(transaction_id);
      this.onProgress(++this.read);
    }
  }

  /** Reads agreements, and answers which of them are not on the ledger. */
  private async readRecords(ids: bigint[]): Promise<bigint[]> {
    const records = await this.entries(ids.map((id) => xdr.ScVal.scvU64(id)));
    for (const id of ids) {
      const bytes = records.get(id);
      if (!bytes) continue;
      const { provider, consumer, disputed, over } = readStoredAgreement(bytes, this.now);
      this.addresses.add(provider).add(consumer);
      this.disputed.push(...disputed.map((place) => place * TRANSACTION_STEP + id));
      if (!over) this.open.add(id);
    }
    this.onProgress((this.read += records.size));
    return ids.filter((id) => !records.has(id));
  }

  /** The records that the contract has under these keys. */
  private async entries(keys: xdr.ScVal[]): Promise<Map<unknown, Uint8Array>> {
    const found = new Map<unknown, Uint8Array>();
    for (let from = 0; from < keys.length; from += MOST_ENTRIES) {
      this.signal?.throwIfAborted();
      for (const { key, val } of await this.chain.records(keys.slice(from, from + MOST_ENTRIES)))
        found.set(toNative(key), toNative(val) as Uint8Array);
    }
    return found;
  }
}

const idOf = (number: number, n: number) => BigInt(number) * AGREEMENTS_PER_PROVIDER + BigInt(n);

/** The ids of so many agreements of a seller, behind its first ones. */
const range = (number: number, behind: number, count: number) => Array.from({ length: count }, (_, index) => idOf(number, behind + index + 1));
