// Records as the contract stores them (src/utils/packed.rs): 200 of them are one request, which the contract's own answers are not.

import { StrKey } from "@stellar/stellar-sdk";
import {
  Deposit,
  TransactionStatus,
  type AgreementState,
  type EnergyAgreement,
  type EnergyTransaction,
  type Prosumer,
} from "../../client/src/index.js";

export interface StoredAgreement {
  provider: string;
  consumer: string;
  createdAt: bigint;
  deadline: bigint;
  kwh: bigint;
  price: bigint;
  /** What its deposit holds, and which kind that is. */
  escrow: bigint;
  deposit: Deposit;
  /** The energy of each delivery. */
  delivered: bigint[];
  /** The places of the deliveries that are disputed, from 0. */
  disputed: bigint[];
  /** Nothing can be delivered any more, and everything is settled: so it stays for ever. */
  over: boolean;
}

const ADDRESS_BYTES = 33;
const DEPOSITS = [Deposit.None, Deposit.Reviewed, Deposit.Metered];
/** Those of a time until a delivery was disputed, ruled on or settled; all ones say that a longer time follows. */
const LATER_BITS = 29n;
const LATEST = (1n << LATER_BITS) - 1n;

export function readStoredAgreement(bytes: Uint8Array, now: bigint): StoredAgreement {
  const reader = new Reader(bytes);
  const [provider, consumer] = [reader.address(), reader.address()];
  const createdAt = reader.number();
  const term = reader.number();
  const deadline = createdAt + (term >> 3n);
  const cancelled = (term & 4n) !== 0n;
  const deposit = DEPOSITS[Number(term & 3n)];
  if (deposit === undefined) throw new RangeError("no such deposit");
  const [kwh, price, escrow] = [reader.number(), reader.number(), reader.number()];
  reader.skip(12); // the agreements before it
  const [delivered, disputed]: [bigint[], bigint[]] = [[], []];
  let settled = true;
  for (let place = 0n; reader.hasMore(); place++) {
    const energy = reader.number();
    delivered.push(energy);
    const outcome = (reader.number() >> 2n) & 3n;
    reader.number(); // the growth of the reading
    if (outcome === Outcome.Disputed) disputed.push(place);
    if (outcome < Outcome.Settled) settled = false;
    if (outcome === Outcome.PaidAtOnce) continue;
    const later = reader.fixed((bitsOf(energy) + Number(LATER_BITS) + 7) >> 3);
    if ((later & LATEST) === LATEST) reader.number();
  }
  const over = settled && (cancelled || deadline < now || sum(delivered) >= kwh);
  return { provider, consumer, createdAt, deadline, kwh, price, escrow, deposit, delivered, disputed, over };
}

/**
 * An agreement's state, of which two numbers stand in its record alone; the others are sums of what the contract answers. Undefined if the record tells
 * anything else than that answer: it is older or younger then, or that of another contract.
 */
export function stateIn(stored: StoredAgreement, agreement: EnergyAgreement, transactions: EnergyTransaction[]): AgreementState | undefined {
  const same =
    stored.provider === agreement.provider &&
    stored.consumer === agreement.consumer &&
    stored.createdAt === agreement.created_at &&
    stored.deadline === agreement.delivery_deadline &&
    stored.kwh === agreement.energy_amount_kwh &&
    stored.price === agreement.price_per_kwh &&
    String(stored.delivered) === String(transactions.map(({ energy_delivered_kwh }) => energy_delivered_kwh));
  if (!same) return undefined;
  const amountOf = (counts: (status: TransactionStatus) => boolean) =>
    sum(transactions.filter(({ status }) => counts(status)).map(({ payment_amount }) => payment_amount));
  return {
    energy_delivered_kwh: sum(stored.delivered),
    pending_amount: amountOf((status) => status !== TransactionStatus.Settled),
    disputed_amount: amountOf((status) => status === TransactionStatus.Disputed),
    escrow_amount: stored.escrow,
    transactions: BigInt(transactions.length),
    deposit: stored.deposit,
  };
}

export function readStoredProsumer(bytes: Uint8Array): Prosumer {
  const reader = new Reader(bytes);
  const [number, agreements, last] = [reader.fixed(3), reader.fixed(3), reader.fixed(6)];
  const [meter_start, meter_reading, energy_sold_kwh] = [reader.fixed(5), reader.fixed(5), reader.fixed(5)];
  const read_at = reader.number();
  const metered = reader.hasMore();
  const prosumer: Prosumer = {
    number,
    agreements,
    last_agreement: last === 0n ? null : last,
    meter_start,
    meter_reading,
    energy_sold_kwh,
    read_at,
    max_power_kw: metered ? reader.fixed(3) : 0n,
    meter: metered ? reader.address() : null,
  };
  if (reader.hasMore()) throw new RangeError("the record ends too late");
  return prosumer;
}

const sum = (numbers: bigint[]) => numbers.reduce((total, one) => total + one, 0n);

const Outcome = { Disputed: 1n, Settled: 2n, PaidAtOnce: 3n };

const bitsOf = (value: bigint) => (value === 0n ? 0 : value.toString(2).length);

class Reader {
  private position = 0;

  constructor(private readonly bytes: Uint8Array) {}

  hasMore(): boolean {
    return this.position < this.bytes.length;
  }

  skip(count: number): void {
    this.position += count;
  }

  private next(): bigint {
    const byte = this.bytes[this.position++];
    if (byte === undefined) throw new RangeError("the record ends too early");
    return BigInt(byte);
  }

  /** A kind, 0 for an account and 1 for a contract, and 32 bytes. */
  address(): string {
    const [kind, ...key] = this.bytes.subarray(this.position, this.position + ADDRESS_BYTES);
    if (key.length < ADDRESS_BYTES - 1) throw new RangeError("the record ends too early");
    this.skip(ADDRESS_BYTES);
    return kind === 0 ? StrKey.encodeEd25519PublicKey(Uint8Array.from(key)) : StrKey.encodeContract(Uint8Array.from(key));
  }

  /** The lowest byte first. */
  fixed(length: number): bigint {
    let value = 0n;
    for (let shift = 0n; shift < BigInt(length) * 8n; shift += 8n) value |= this.next() << shift;
    return value;
  }

  /** LEB128: 7 bits a byte, the lowest first, the top bit set where more follow. */
  number(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.next();
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return value;
    }
  }
}
