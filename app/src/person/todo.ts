// What waits for a person, the most urgent first.

import { AgreementStatus, Deposit, TransactionStatus, type AgreementEntry, type EnergyTransaction } from "../../client/src/index.js";
import { roleOf, settlement, surplus, type Delivery } from "../contract/rules.js";
import type { Waiting } from "./inbox.js";

export type Task =
  | { kind: "look"; entry: AgreementEntry; transaction: EnergyTransaction; until: bigint }
  | { kind: "answer"; entry: AgreementEntry; until: bigint }
  | { kind: "sign"; waiting: Waiting; until: bigint }
  | { kind: "pay" | "draw" | "refund"; entry: AgreementEntry; amount: bigint };

/** An offer to which its buyer has said nothing yet: no deposit, no delivery. */
export const isOffer = ({ agreement, state }: AgreementEntry) =>
  agreement.status === AgreementStatus.Active && state.deposit === Deposit.None && state.transactions === 0n;

/** Whether the deliveries have to be read to know what waits: the agreement's own state has the sums only. */
export const needsDeliveries = ({ state }: AgreementEntry) =>
  state.deposit !== Deposit.None && state.pending_amount > state.disputed_amount;

interface Known {
  me: string;
  entries: AgreementEntry[];
  /** Of those agreements that need them. */
  deliveries: Map<bigint, Delivery[]>;
  /** Offers for which this person has said to pay the bill, which the ledger does not record. */
  accepted: Set<bigint>;
  /** What others signed first. */
  waiting: Waiting[];
  now: bigint;
}

export function tasksOf({ me, entries, deliveries, accepted, waiting, now }: Known): Task[] {
  const tasks: Task[] = waiting.map((one) => ({ kind: "sign", waiting: one, until: BigInt(one.until) }));
  for (const entry of entries) {
    const { agreement, state } = entry;
    const role = roleOf(entry, me, "");
    const of = deliveries.get(agreement.agreement_id) ?? [];
    if (role === "provider" && state.deposit !== Deposit.None) {
      const amount = settlement(entry, of, role, now)?.amount ?? 0n;
      if (amount > 0n) tasks.push({ kind: "draw", entry, amount });
    }
    if (role !== "consumer") continue;
    if (isOffer(entry) && !accepted.has(agreement.agreement_id)) tasks.push({ kind: "answer", entry, until: agreement.delivery_deadline });
    const due = state.pending_amount - state.disputed_amount;
    if (state.deposit === Deposit.None && due > 0n) tasks.push({ kind: "pay", entry, amount: due });
    for (const { transaction, state: one } of of)
      if (transaction.status === TransactionStatus.Delivered && one && one.provider_settles_from > now)
        tasks.push({ kind: "look", entry, transaction, until: one.provider_settles_from });
    const refund = surplus(entry);
    if (refund > 0n) tasks.push({ kind: "refund", entry, amount: refund });
  }
  return tasks.filter((task) => !("until" in task) || task.until > now).sort(byUrgency);
}

const order = ["pay", "draw", "refund"] as const;

/** What ends at a time comes before what waits without one. */
function byUrgency(a: Task, b: Task): number {
  if ("until" in a && "until" in b) return Number(a.until - b.until);
  if ("until" in a || "until" in b) return "until" in a ? -1 : 1;
  return order.indexOf(a.kind) - order.indexOf(b.kind);
}
