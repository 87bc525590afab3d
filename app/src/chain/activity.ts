// All that a person does on the contract: agreements with their states, and deliveries.

import type { AgreementEntry, Prosumer } from "../../client/src/index.js";
import type { Delivery } from "../contract/rules.js";
import { toRows, type Row } from "../person/books.js";
import { needsDeliveries } from "../person/todo.js";
import type { Chain } from "./chain.js";

export interface Activity {
  prosumer: Prosumer | undefined;
  entries: AgreementEntry[];
  rows: Row[];
  /** With their states, of those agreements in which something may wait for the person. */
  deliveries: Map<bigint, Delivery[]>;
}

/** What the person is, has agreed to and has traded: a request each, and two more for each deposit with deliveries that are not paid yet. */
export async function readActivity(chain: Chain, me: string): Promise<Activity> {
  const prosumer = await chain.prosumer(me);
  const entries = prosumer?.last_agreement ? await readEntries(chain, me) : [];
  const waiting = entries.filter(needsDeliveries).map(({ agreement }) => agreement.agreement_id);
  const [transactions, ...deliveries] = await Promise.all([
    entries.length > 0 ? chain.history(me) : [],
    ...waiting.map(async (id) => [id, await chain.deliveries(id)] as const),
  ]);
  return { prosumer, entries, rows: toRows(entries, transactions, me), deliveries: new Map(deliveries) };
}

/** All deliveries of a person: a request for 25 agreements, and one for what was delivered. */
export async function readRows(chain: Chain, me: string, onProgress?: (agreements: number) => void, signal?: AbortSignal): Promise<Row[]> {
  const [entries, transactions] = await Promise.all([readEntries(chain, me), chain.history(me, onProgress, signal)]);
  return toRows(entries, transactions, me);
}

async function readEntries(chain: Chain, prosumer: string): Promise<AgreementEntry[]> {
  const entries: AgreementEntry[] = [];
  for await (const entry of chain.entries(prosumer)) entries.push(entry);
  return entries;
}
