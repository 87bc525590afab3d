// An agreement as the contract stores it (src/utils/packed.rs), as far as somebody has to know it who looks for disputes in all of them:
// 200 records are one request, while the contract's own answers have 25.

import { StrKey } from "@stellar/stellar-sdk";

export interface StoredAgreement {
  provider: string;
  consumer: string;
  /** The places of the deliveries that are disputed, from 0. */
  disputed: bigint[];
  /** Nothing can be delivered any more, and everything is settled: so it stays for ever. */
  over: boolean;
}

/** What a prosumer's record begins with: its number, and how many agreements it has created as a seller. */
export interface StoredProsumer {
  number: bigint;
  agreements: bigint;
}

const ADDRESS_BYTES = 33;
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
  const kwh = reader.number();
  reader.number(); // its price
  reader.number(); // what its deposit holds
  reader.skip(12); // the agreements before it
  const disputed: bigint[] = [];
  let delivered = 0n;
  let settled = true;
  for (let place = 0n; reader.hasMore(); place++) {
    const energy = reader.number();
    delivered += energy;
    const outcome = (reader.number() >> 2n) & 3n;
    reader.number(); // the growth of the reading
    if (outcome === Outcome.Disputed) disputed.push(place);
    if (outcome < Outcome.Settled) settled = false;
    if (outcome === Outcome.PaidAtOnce) continue;
    const later = reader.fixed((bitsOf(energy) + Number(LATER_BITS) + 7) >> 3);
    if ((later & LATEST) === LATEST) reader.number();
  }
  return { provider, consumer, disputed, over: settled && (cancelled || deadline < now || delivered >= kwh) };
}

export function readStoredProsumer(bytes: Uint8Array): StoredProsumer {
  const reader = new Reader(bytes);
  return { number: reader.fixed(3), agreements: reader.fixed(3) };
}

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
