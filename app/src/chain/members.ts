// Who is registered here. The contract has a count of its prosumers, but no list: it is put together from its records, which can be asked 200 at a time.
//
// A prosumer is stored under its address, an agreement under its id, and that tells its provider's number. So the first agreements of all numbers name
// everybody who has made an offer; those providers' other agreements name the buyers. src/utils/storage.rs and src/utils/packed.rs say how records look.

import { Address, StrKey, xdr } from "@stellar/stellar-sdk";
import { AGREEMENTS_PER_PROVIDER } from "../contract/limits.js";
import { readStoredProsumer } from "../contract/record.js";
import type { Chain, StoredRecord } from "./chain.js";
import { MOST_ENTRIES } from "./rpc.js";

export interface Member {
  address: string;
  number: bigint;
  /** How many it created as provider. */
  agreements: bigint;
  meter: string | undefined;
  meterReading: bigint;
  soldKwh: bigint;
  maxPowerKw: bigint;
}

export interface Members {
  /** By number, which is the order of registration. */
  found: Member[];
  /** How many are registered. Who has neither sold nor been offered anything is in no agreement, and so not found. */
  registered: bigint;
}

const ADDRESS_BYTES = 33;

/** Reads the members: two requests for a community of up to 199, and one more for 200 further agreements. */
export async function readMembers(chain: Chain): Promise<Members> {
  const firsts = (from: bigint, to: bigint) => range(from, to).map((number) => number * AGREEMENTS_PER_PROVIDER + 1n);
  const count = xdr.ScVal.scvSymbol("PROSUMERS");
  const some = BigInt(MOST_ENTRIES - 1);
  const begin = await chain.records([count, ...firsts(0n, some).map(agreementKey)]);
  const registered = begin.find(({ key }) => key.type === "scvSymbol")?.val;
  const total = registered?.type === "scvU64" ? registered.value : 0n;
  const parties = new Set(begin.flatMap(partiesOf));
  for (const record of await chain.records(firsts(some, total).map(agreementKey))) partiesOf(record).forEach((one) => parties.add(one));

  const members = new Map<string, Member>();
  const readNew = async () => {
    const missing = [...parties].filter((address) => !members.has(address));
    for (const record of await chain.records(missing.map((address) => Address.fromString(address).toScVal()))) {
      const member = memberOf(record);
      if (member) members.set(member.address, member);
    }
  };
  await readNew();
  if (BigInt(members.size) < total) {
    const rest = [...members.values()].flatMap(({ number, agreements }) =>
      range(2n, agreements + 1n).map((n) => number * AGREEMENTS_PER_PROVIDER + n),
    );
    for (const record of await chain.records(rest.map(agreementKey))) partiesOf(record).forEach((one) => parties.add(one));
    await readNew();
  }
  return { found: [...members.values()].sort((a, b) => Number(a.number - b.number)), registered: total };
}

const range = (from: bigint, to: bigint) => Array.from({ length: Math.max(0, Number(to - from)) }, (_, n) => from + BigInt(n));

const agreementKey = (id: bigint) => xdr.ScVal.scvU64(id);

/** Provider and consumer, with which an agreement's record begins. */
function partiesOf({ key, val }: StoredRecord): string[] {
  if (key.type !== "scvU64" || val.type !== "scvBytes") return [];
  const bytes = val.value.value;
  return [0, ADDRESS_BYTES].map((from) => packedAddress(bytes.subarray(from, from + ADDRESS_BYTES)));
}

/** An address as records have it: its kind, 1 for a contract, and the 32 bytes of its key or hash. */
const packedAddress = ([kind, ...rest]: Uint8Array): string =>
  kind === 1 ? StrKey.encodeContract(Uint8Array.from(rest)) : StrKey.encodeEd25519PublicKey(Uint8Array.from(rest));

function memberOf({ key, val }: StoredRecord): Member | undefined {
  if (key.type !== "scvAddress" || val.type !== "scvBytes") return undefined;
  const { number, agreements, meter, meter_reading, energy_sold_kwh, max_power_kw } = readStoredProsumer(val.value.value);
  return {
    address: Address.fromScVal(key).toString(),
    number,
    agreements,
    meter: meter ?? undefined,
    meterReading: meter_reading,
    soldKwh: energy_sold_kwh,
    maxPowerKw: max_power_kw,
  };
}
