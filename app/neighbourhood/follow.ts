// What the ledger says of the contract, as sentences: whoever did it, the driver or somebody on the page.

import type { rpc } from "@stellar/stellar-sdk";
import { Deposit, type Client } from "../client/src/index.js";
import { placeOf } from "../src/contract/describe.js";
import { Format, type Unit } from "../src/words/format.js";

export const EUR: Unit = { symbol: "EUR", decimals: 7 };

/** The generated types leave out what another contract's event of that name might lack. */
type Complete<E> = E extends { name: infer Name; data: infer Data } ? { name: Name; data: Required<Data> } : never;
type Event = Complete<NonNullable<ReturnType<Client["parseEvent"]>>>;

const format = new Format("en-GB");

/** As "Tue 3 Nov 14:00", in the time of this machine's place. */
export function clock(seconds: number): string {
  const date = new Date(seconds * 1000);
  const day = date.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" }).replace(",", "");
  return `${day} ${date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
}

/** The sentences for the events of one transaction. */
export function tell(events: Event[], nameOf: (address: string) => string): string[] {
  const money = (amount: bigint) => format.amount(amount, EUR);
  const paid = events.flatMap((event) => (event.name === "PaymentSettled" ? [event.data] : []));
  const sentences = events.flatMap((event): string[] => {
    switch (event.name) {
      case "AgreementCreated": {
        const { provider, consumer, energy_amount_kwh, price_per_kwh, delivery_deadline } = event.data;
        const terms = `${format.kwh(energy_amount_kwh)} at ${money(price_per_kwh)}, until ${clock(Number(delivery_deadline))}`;
        return [`${nameOf(provider)} offers ${nameOf(consumer)} ${terms}`];
      }
      case "AgreementFunded": {
        const { provider, consumer, escrow_amount, deposit } = event.data;
        const use = deposit === Deposit.Metered ? "the meter draws on it" : "each delivery can be looked at for 24 hours";
        return [`${nameOf(consumer)} deposits ${money(escrow_amount)} for ${nameOf(provider)}’s energy: ${use}`];
      }
      case "AgreementCancelled": {
        const { provider, consumer, canceller } = event.data;
        return [`${nameOf(canceller)} ends the agreement with ${nameOf(canceller === provider ? consumer : provider)}`];
      }
      case "EnergyDelivered": {
        const { provider, consumer, energy_delivered_kwh, payment_amount, metered } = event.data;
        const then = `${money(payment_amount)} ${paid.length > 0 ? "paid" : "to be paid"}`;
        // Of what is paid from a deposit under review the event does not tell whether a meter signed it.
        const recorded = `${format.kwh(energy_delivered_kwh)} from ${nameOf(provider)} to ${nameOf(consumer)} are recorded: ${then}`;
        if (!metered) return [recorded];
        return [`${nameOf(provider)}’s meter delivers ${format.kwh(energy_delivered_kwh)} to ${nameOf(consumer)}: ${then}`];
      }
      case "TransactionDisputed": {
        const { provider, consumer, disputer, transaction_id } = event.data;
        const other = disputer === provider ? consumer : provider;
        return [`${nameOf(disputer)} disputes ${deliveryOf(transaction_id)} with ${nameOf(other)}: it waits for the co-op`];
      }
      case "DisputeResolved": {
        const { transaction_id, energy_accepted_kwh, payment_amount, resolver } = event.data;
        const who = resolver ? `${nameOf(resolver)} rules` : "the dispute is closed by default";
        return [`${who}: ${format.kwh(energy_accepted_kwh)} of ${deliveryOf(transaction_id)} are owed, ${money(payment_amount)}`];
      }
      case "EscrowRefunded": {
        const { consumer, provider, refund_amount } = event.data;
        return [`${nameOf(consumer)} gets ${money(refund_amount)} of the deposit for ${nameOf(provider)} back`];
      }
      case "MeterRegistered":
        return [`${nameOf(event.data.prosumer)}’s meter is certified for ${format.kw(event.data.max_power_kw)}`];
      case "ProsumerRegistered":
        return [`${nameOf(event.data.prosumer)} joins`];
      default:
        return [];
    }
  });
  const [first] = paid;
  if (!first || events.some(({ name }) => name === "EnergyDelivered")) return sentences;
  const { provider, consumer, settler } = first;
  const sum = paid.reduce((sum, { payment_amount }) => sum + payment_amount, 0n);
  const deliveries = paid.length === 1 ? "a delivery" : `${paid.length} deliveries`;
  const who =
    settler === provider
      ? `${nameOf(provider)} draws ${money(sum)} of ${nameOf(consumer)}’s deposit`
      : `${nameOf(consumer)} pays ${nameOf(provider)} ${money(sum)}`;
  return [...sentences, `${who} for ${deliveries}`];
}

const deliveryOf = (transactionId: bigint) => {
  const { agreement, delivery } = placeOf(transactionId);
  return `delivery ${delivery} of agreement ${agreement}`;
};

/** Reads on from a ledger, each time what has been added. */
export class Follower {
  private cursor: string | undefined;

  constructor(
    private readonly server: rpc.Server,
    private readonly client: Client,
    private readonly contractId: string,
    private readonly startLedger: number,
  ) {}

  /** What has been added, transaction by transaction. */
  async read(): Promise<{ time: number; events: Event[] }[]> {
    const filters: rpc.Api.EventFilter[] = [{ type: "contract", contractIds: [this.contractId] }];
    const transactions = new Map<string, { time: number; events: Event[] }>();
    for (const limit = 200; ; ) {
      const { startLedger, cursor } = this;
      const page = await this.server.getEvents(cursor ? { cursor, filters, limit } : { startLedger, filters, limit });
      this.cursor = page.cursor;
      for (const { txHash, topic, value, ledgerClosedAt } of page.events) {
        const event = this.client.parseEvent(topic, value) as Event | undefined;
        if (!event) continue;
        const known = transactions.get(txHash);
        if (known) known.events.push(event);
        else transactions.set(txHash, { time: Date.parse(ledgerClosedAt) / 1000, events: [event] });
      }
      if (page.events.length < limit) return [...transactions.values()];
    }
  }
}
