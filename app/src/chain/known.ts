// What a chain has read so far, and what has not changed since: nothing is asked for it. The keys are those under which chain.ts reads.

import type { AgreementEntry, EnergyAgreement, EnergyTransaction } from "../../client/src/index.js";
import type { Chain } from "./chain.js";

export const knownEntries = async ({ cache }: Chain) => (await cache.arrived("agreement ")) as AgreementEntry[];

export const knownTerms = async ({ cache }: Chain) => (await cache.arrived("terms of ")) as EnergyAgreement[];

export async function knownTransactions({ cache }: Chain): Promise<EnergyTransaction[]> {
  const lists = await Promise.all(["transactions of ", "history of "].map((start) => cache.arrived(start)));
  return (lists.flat() as EnergyTransaction[][]).flat();
}
