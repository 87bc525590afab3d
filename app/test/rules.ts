// The page's rules beside the contract: what the page offers, the contract takes; what the page blocks, the contract refuses with the reason's error.

import assert from "node:assert/strict";
import { Deposit, TransactionStatus, type AgreementEntry, type Prosumer } from "../client/src/index.js";
import { assemble, value, type ContractCall } from "../src/contract/calls.js";
import {
  agreementActions,
  deliveryActions,
  refusals,
  roleOf,
  type Action,
  type AgreementActionName,
  type Delivery,
  type DeliveryActionName,
} from "../src/contract/rules.js";
import { ContractProblem } from "../src/words/problem.js";
import type { Stage } from "./stage.js";

type Name = AgreementActionName | DeliveryActionName;

export class RulesCheck {
  /** What was tried: an action's name, with the reason if it was blocked. */
  readonly tried = new Set<string>();
  /** What was simulated before, and cannot have another end. */
  private readonly known = new Set<string>();

  constructor(private readonly stage: Stage) {}

  /** Simulates all that the parties and the admin are shown of all agreements of a provider. */
  async hold(provider: string): Promise<void> {
    const client = this.stage.contract.client();
    const found = (await client.get_prosumer({ prosumer: provider })).result;
    if (found.isErr()) return;
    const seller = found.unwrap();
    const entries = value(await client.get_agreement_page({ prosumer: provider, before: null, limit: 25 }));
    for (const entry of entries) {
      const { agreement_id, consumer } = entry.agreement;
      const [transactions, states] = await Promise.all([
        client.get_agreement_transactions({ agreement_id }).then(value),
        client.get_transaction_states({ agreement_id }).then(value),
      ]);
      const deliveries = transactions.map((transaction, place): Delivery =>
        transaction.status === TransactionStatus.Settled ? { transaction } : { transaction, state: states[place] },
      );
      for (const me of [provider, consumer, this.stage.admin.address]) await this.holdFor(me, entry, deliveries, seller);
    }
  }

  private async holdFor(me: string, entry: AgreementEntry, deliveries: Delivery[], seller: Prosumer): Promise<void> {
    const role = roleOf(entry, me, this.stage.admin.address);
    const now = BigInt(await this.stage.now());
    const unpaid = deliveries.filter(({ transaction }) => transaction.status === TransactionStatus.Delivered);
    const about = JSON.stringify({ me, entry, deliveries, seller }, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part));
    for (const action of agreementActions(entry, deliveries, role, seller, now))
      await this.try(action, me, about, ofAgreement(action.name, me, entry, unpaid, seller));
    for (const delivery of deliveries)
      for (const action of deliveryActions(entry, delivery, role, unpaid.length, now))
        await this.try(action, me, `${about} ${delivery.transaction.transaction_id}`, ofDelivery(action.name, me, entry, delivery));
  }

  private async try({ name, blocked }: Action<Name>, me: string, about: string, call: ContractCall): Promise<void> {
    const what = blocked ? `${name}: ${blocked.kind}` : name;
    const once = `${what} ${about}`;
    if (this.known.has(once)) return;
    this.known.add(once);
    this.tried.add(what);
    assert.equal(await this.endOf(call, me), blocked ? refusals[blocked.kind] : "taken", `${what} for ${me}`);
  }

  /** What the contract says to a call: whose error, or whether it needs a signature of somebody whom the page does not ask. */
  private async endOf(call: ContractCall, me: string) {
    try {
      const assembled = await assemble(this.stage.contract.client(), call, { publicKey: me });
      value(assembled);
      const others = assembled.needsNonInvokerSigningBy();
      return others.length > 0 && call.method !== "resolve_dispute" ? "otherSignature" : "taken";
    } catch (error) {
      if (error instanceof ContractProblem) return error.code;
      throw error;
    }
  }
}

function ofAgreement(name: AgreementActionName, me: string, { agreement: { agreement_id } }: AgreementEntry, unpaid: Delivery[], seller: Prosumer): ContractCall {
  switch (name) {
    case "fundMetered":
    case "fundReviewed":
      return { method: "fund_agreement", args: { agreement_id, consumer: me, deposit: name === "fundMetered" ? Deposit.Metered : Deposit.Reviewed } };
    case "pay":
    case "draw":
      return {
        method: "settle_agreement",
        args: { agreement_id, through: unpaid.at(-1)?.transaction.transaction_id ?? agreement_id, settler: me },
      };
    case "deliver":
      return {
        method: "deliver_energy",
        args: { agreement_id, energy_delivered_kwh: 1n, meter_reading: seller.meter_reading + 1n, provider: me },
      };
    case "cancel":
      return { method: "cancel_agreement", args: { agreement_id, canceller: me } };
    case "refund":
      return { method: "claim_refund", args: { agreement_id } };
  }
}

function ofDelivery(name: DeliveryActionName, me: string, { agreement }: AgreementEntry, { transaction }: Delivery): ContractCall {
  const { transaction_id, energy_delivered_kwh: all } = transaction;
  const resolved = (energy_accepted_kwh: bigint): ContractCall => ({
    method: "resolve_dispute",
    args: { transaction_id, energy_accepted_kwh, resolver: me },
  });
  switch (name) {
    case "payOne":
      return { method: "settle_payment", args: { transaction_id, settler: me } };
    case "dispute":
      return { method: "dispute_transaction", args: { transaction_id, disputer: me } };
    case "giveIn":
      return resolved(me === agreement.consumer ? all : 0n);
    case "compromise":
    case "rule":
      return resolved(all / 2n);
    case "close":
      return { method: "close_dispute", args: { transaction_id } };
  }
}
