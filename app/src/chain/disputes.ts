// Disputes that the network still remembers: RPCs keep events for some days.

import { rpc } from "@stellar/stellar-sdk";
import { TransactionStatus, type EnergyTransaction } from "../../client/src/index.js";
import type { Chain } from "./chain.js";

/** The transactions that are disputed now, the newest dispute first. */
export async function openDisputes(chain: Chain): Promise<EnergyTransaction[]> {
  const { client, server, contractId } = chain;
  const filters: rpc.Api.EventFilter[] = [
    { type: "contract", contractIds: [contractId], topics: [client.transactionDisputedEventFilter()] },
  ];
  const ids = new Set<bigint>();
  const limit = 100;
  let page = await server.getEvents({ startLedger: (await server.getHealth()).oldestLedger, filters, limit });
  for (;;) {
    for (const { topic, value } of page.events) {
      const event = client.parseEvent(topic, value);
      if (event?.name === "TransactionDisputed") ids.add(event.data.transaction_id);
    }
    // A request looks through 10,000 ledgers, and answers a short page if they have few events.
    if (page.events.length < limit && ledgerOf(page.cursor) >= page.latestLedger) break;
    const next = await server.getEvents({ cursor: page.cursor, filters, limit });
    // Whoever answers the same page for ever is not asked for ever.
    if (next.cursor === page.cursor) break;
    page = next;
  }
  const transactions = await Promise.all([...ids].reverse().map((id) => chain.transaction(id)));
  return transactions.filter(({ status }) => status === TransactionStatus.Disputed);
}

/** The ledger in which a page ends: its number is the upper half of the cursor's first part. */
const ledgerOf = (cursor: string): number => Number(BigInt(cursor.replace(/-.*$/, "")) >> 32n);
