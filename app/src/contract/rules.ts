// What a person can do now, by the contract's rules; and what cannot be done now but would be expected, with the reason.

import {
  AgreementStatus,
  Deposit,
  TransactionStatus,
  type AgreementEntry,
  type EnergyTransaction,
  type Prosumer,
  type TransactionState,
} from "../../client/src/index.js";
import type { ErrorCode } from "../words/problem.js";
import { ARBITRATION_PERIOD, MAX_TRANSACTIONS } from "./limits.js";

/** A delivery, with its state while something can be done about it. */
export interface Delivery {
  transaction: EnergyTransaction;
  state?: TransactionState;
}

export type AgreementActionName = "fundMetered" | "fundReviewed" | "pay" | "draw" | "deliver" | "cancel" | "refund";
export type DeliveryActionName = "payOne" | "dispute" | "giveIn" | "compromise" | "rule" | "close";

export type Reason =
  | { kind: "deliveryStarted" | "fundedCancel" | "meterRecords" | "fullAgreement" | "buyerPays" | "ruledFinal" | "trustsMeter" }
  | { kind: "inReview" | "arbitration" | "untilDeadline"; at: bigint };

/** How the contract refuses what a reason blocks: with an error, or by asking for the signature of somebody else. */
export const refusals: Record<Reason["kind"], ErrorCode | "otherSignature"> = {
  deliveryStarted: 23,
  fundedCancel: 16,
  meterRecords: "otherSignature",
  fullAgreement: 24,
  buyerPays: "otherSignature",
  ruledFinal: 20,
  trustsMeter: 26,
  inReview: 17,
  arbitration: 21,
  untilDeadline: 22,
};

export interface Action<Name> {
  name: Name;
  /** Why it cannot be done now. */
  blocked?: Reason;
}

/** What one call settles: all deliveries up to and with `through`, and the amount that this pays. */
export interface Settlement {
  through: bigint;
  amount: bigint;
}

export type Role = "provider" | "consumer" | "admin" | "reader";

export function roleOf({ agreement }: AgreementEntry, me: string | undefined, admin: string): Role {
  if (me === agreement.provider) return "provider";
  if (me === agreement.consumer) return "consumer";
  return me === admin ? "admin" : "reader";
}

export const remainingKwh = ({ agreement, state }: AgreementEntry) => agreement.energy_amount_kwh - state.energy_delivered_kwh;

/** What a deposit holds beyond what is owed or may still fall due. */
export function surplus({ agreement, state }: AgreementEntry): bigint {
  const undelivered = agreement.status === AgreementStatus.Active ? remainingKwh({ agreement, state }) * agreement.price_per_kwh : 0n;
  const left = state.escrow_amount - state.pending_amount - undelivered;
  return left > 0n ? left : 0n;
}

/** What one call would settle for this person now, or undefined if there is nothing to settle. */
export function settlement({ state }: AgreementEntry, deliveries: Delivery[], role: Role, now: bigint): Settlement | undefined {
  const mayNow = ({ transaction, state: of }: Delivery) =>
    transaction.status === TransactionStatus.Delivered &&
    (role === "consumer" || (role === "provider" && state.deposit !== Deposit.None && !!of && of.provider_settles_from <= now));
  const settled = deliveries.filter(mayNow).map(({ transaction }) => transaction);
  const last = settled.at(-1);
  return last && { through: last.transaction_id, amount: settled.reduce((sum, { payment_amount }) => sum + payment_amount, 0n) };
}

/** Whether it depends on the seller's meter what this person can do: who records the deliveries, and whether a deposit can trust it. */
export function sellerMatters({ agreement, state }: AgreementEntry, role: Role): boolean {
  if (agreement.status !== AgreementStatus.Active) return false;
  if (role === "provider") return state.transactions < MAX_TRANSACTIONS;
  return role === "consumer" && state.deposit === Deposit.None && state.transactions === 0n;
}

export function agreementActions(
  entry: AgreementEntry,
  deliveries: Delivery[],
  role: Role,
  seller: Prosumer | undefined,
  now: bigint,
): Action<AgreementActionName>[] {
  const { agreement, state } = entry;
  const open = agreement.status === AgreementStatus.Active;
  const party = role === "provider" || role === "consumer";
  const unpaid = deliveries.filter(({ transaction }) => transaction.status === TransactionStatus.Delivered);
  const actions: Action<AgreementActionName>[] = [];

  if (role === "consumer" && unpaid.length > 0) actions.push({ name: "pay" });
  if (role === "consumer" && open && state.deposit === Deposit.None) {
    const blocked: Reason | undefined = state.transactions > 0n ? { kind: "deliveryStarted" } : undefined;
    actions.push({ name: "fundReviewed", blocked });
    if (seller?.meter) actions.push({ name: "fundMetered", blocked });
  }
  if (role === "provider" && unpaid.length > 0) actions.push({ name: "draw", blocked: drawBlocked(entry, unpaid, now) });
  if (role === "provider" && open) actions.push({ name: "deliver", blocked: deliverBlocked(entry, seller) });
  if (party && state.deposit !== Deposit.None && (surplus(entry) > 0n || (role === "consumer" && open)))
    actions.push({ name: "refund", blocked: surplus(entry) > 0n ? undefined : { kind: "untilDeadline", at: agreement.delivery_deadline } });
  if (party && open)
    actions.push({ name: "cancel", blocked: role === "consumer" && state.deposit !== Deposit.None ? { kind: "fundedCancel" } : undefined });
  return actions;
}

function drawBlocked({ state }: AgreementEntry, unpaid: Delivery[], now: bigint): Reason | undefined {
  if (state.deposit === Deposit.None) return { kind: "buyerPays" };
  const from = unpaid.flatMap(({ state }) => (state ? [state.provider_settles_from] : []));
  const soonest = from.reduce((first, at) => (at < first ? at : first));
  return soonest <= now ? undefined : { kind: "inReview", at: soonest };
}

function deliverBlocked({ state }: AgreementEntry, seller: Prosumer | undefined): Reason | undefined {
  if (seller?.meter) return { kind: "meterRecords" };
  return state.transactions >= MAX_TRANSACTIONS ? { kind: "fullAgreement" } : undefined;
}

export function deliveryActions(
  { state: { deposit } }: AgreementEntry,
  { transaction, state }: Delivery,
  role: Role,
  unpaid: number,
  now: bigint,
): Action<DeliveryActionName>[] {
  if (!state || role === "reader") return [];
  if (transaction.status === TransactionStatus.Delivered) {
    if (role === "admin") return [];
    const dispute: Action<DeliveryActionName> = { name: "dispute", blocked: disputeBlocked(deposit, state) };
    return role === "consumer" && unpaid > 1 ? [{ name: "payOne" }, dispute] : [dispute];
  }
  const closesAt = closingTime(state.disputed_at ?? now);
  const close: Action<DeliveryActionName> = { name: "close", blocked: now < closesAt ? { kind: "arbitration", at: closesAt } : undefined };
  return role === "admin" ? [close, { name: "rule" }] : [{ name: "giveIn" }, close, { name: "compromise" }];
}

function disputeBlocked(deposit: Deposit, { ruled, metered }: TransactionState): Reason | undefined {
  if (ruled) return { kind: "ruledFinal" };
  return metered && deposit === Deposit.Metered ? { kind: "trustsMeter" } : undefined;
}

/** The time from which anyone may close a dispute. */
export const closingTime = (disputedAt: bigint) => disputedAt + ARBITRATION_PERIOD;
