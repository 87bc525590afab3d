// One delivery: what it was, where its payment stands, and what this person can do about it.

import { useState } from "preact/hooks";
import { Deposit, TransactionStatus, type AgreementEntry } from "../../client/src/index.js";
import { placeOf } from "../contract/describe.js";
import { closingTime, deliveryActions, type Delivery, type DeliveryActionName, type Role } from "../contract/rules.js";
import { acceptedKwh } from "../person/books.js";
import { useSession, type Session } from "../person/session.js";
import type { Job } from "../signing/story.js";
import { AcceptForm } from "./AcceptForm.js";
import { Button } from "./basics.js";
import { usePaymentReason, type Means } from "./payment.js";
import { reasonText } from "./reasons.js";

interface Props {
  entry: AgreementEntry;
  delivery: Delivery;
  deliveries: Delivery[];
  role: Role;
  /** None for whoever only reads. */
  means: Means | undefined;
}

export function DeliveryItem(props: Props) {
  const session = useSession();
  const { words, format, token, now, act } = session;
  const { entry, delivery, deliveries, role, means } = props;
  const { transaction, state } = delivery;
  const delivered = transaction.energy_delivered_kwh;
  const accepted = acceptedKwh(transaction.payment_amount, entry.agreement.price_per_kwh);
  const paymentReason = usePaymentReason(means);
  const [form, setForm] = useState<"compromise" | "rule">();
  const unpaid = deliveries.filter(({ transaction }) => transaction.status === TransactionStatus.Delivered).length;
  const actions = deliveryActions(entry, delivery, role, unpaid, now);
  const press = (name: DeliveryActionName) => {
    if (name === "compromise" || name === "rule") setForm(form === name ? undefined : name);
    else act(jobFor(name, props, session));
  };
  return (
    <li class="delivery">
      <div class="split">
        <h3>{words.agreement.delivery(String(placeOf(transaction.transaction_id).delivery))}</h3>
        <StatusTag delivery={delivery} />
      </div>
      <div class="split">
        <span class="kwh">
          {accepted < delivered ? words.agreement.partly(format.number(accepted), format.kwh(delivered)) : format.kwh(delivered)}
        </span>
        <strong>{format.amount(transaction.payment_amount, token)}</strong>
      </div>
      <p class="hint">
        <time dateTime={new Date(Number(transaction.delivered_at) * 1000).toISOString()}>{format.dateTime(transaction.delivered_at)}</time>
        {" · "}
        {words.agreement.reading(format.kwh(transaction.meter_reading))}
        {state?.metered && ` · ${words.agreement.metered}`}
        {accepted < delivered && ` · ${accepted > 0n ? words.agreement.partlyPaid : words.agreement.nothingPaid}`}
        {state?.ruled && accepted === delivered && ` · ${words.agreement.ruled}`}
      </p>
      <Countdown {...props} />
      {actions.length > 0 && (
        <div class="actions">
          {actions.map(({ name, blocked }) => (
            <Button
              key={name}
              blocked={
                blocked ? reasonText(blocked, session) : paymentReason(name, transaction.payment_amount, entry.state.deposit !== Deposit.None)
              }
              hint={hint(name, props, session)}
              onClick={() => press(name)}
            >
              {words.deliveryActions[name]}
            </Button>
          ))}
        </div>
      )}
      {form && <AcceptForm entry={entry} transaction={transaction} form={form} />}
    </li>
  );
}

function StatusTag({ delivery: { transaction } }: { delivery: Delivery }) {
  const { words } = useSession();
  const { statusOf } = words.agreement;
  if (transaction.status === TransactionStatus.Disputed) return <span class="tag bad">{statusOf.disputed}</span>;
  if (transaction.status === TransactionStatus.Delivered) return <span class="tag due">{statusOf.open}</span>;
  return transaction.payment_amount > 0n ? <span class="tag good">{statusOf.paid}</span> : <span class="tag">{statusOf.nothing}</span>;
}

/** Says how long a review or an arbitration still takes. */
function Countdown({ entry, delivery: { transaction, state } }: Props) {
  const { words, format, now } = useSession();
  if (!state) return null;
  if (state.disputed_at !== null) {
    const at = closingTime(state.disputed_at);
    return <p class="countdown">{now < at ? words.agreement.arbitration(format.when(at, now)) : words.agreement.reviewStopped}</p>;
  }
  if (transaction.status !== TransactionStatus.Delivered || entry.state.deposit === Deposit.None) return null;
  const at = state.provider_settles_from;
  if (now < at) return <p class="countdown">{words.agreement.review(format.when(at, now))}</p>;
  const { drawable, drawableMetered, drawableRuled } = words.agreement;
  return <p class="countdown">{state.ruled ? drawableRuled : state.metered ? drawableMetered : drawable}</p>;
}

function hint(
  name: DeliveryActionName,
  { delivery: { transaction, state }, role, entry }: Props,
  { words, format, token }: Session,
): string | undefined {
  const say = words.deliveryHints;
  if (name === "giveIn" && role === "provider") return say.giveInSeller;
  if (name === "giveIn")
    return say.giveInBuyer(
      format.kwh(transaction.energy_delivered_kwh),
      format.amount(transaction.energy_delivered_kwh * entry.agreement.price_per_kwh, token),
    );
  if (name === "close") return state?.metered ? say.closeMetered : say.closeUnmetered;
  return undefined;
}

type Direct = Exclude<DeliveryActionName, "compromise" | "rule">;

function jobFor(name: Direct, { delivery: { transaction }, role }: Props, { me = "" }: Session): Job {
  const { transaction_id, energy_delivered_kwh } = transaction;
  switch (name) {
    case "payOne":
      return { kind: "send", call: { method: "settle_payment", args: { transaction_id, settler: me } } };
    case "dispute":
      return { kind: "send", call: { method: "dispute_transaction", args: { transaction_id, disputer: me } } };
    case "giveIn": {
      const energy_accepted_kwh = role === "consumer" ? energy_delivered_kwh : 0n;
      return { kind: "send", call: { method: "resolve_dispute", args: { transaction_id, energy_accepted_kwh, resolver: me } } };
    }
    case "close":
      return { kind: "send", call: { method: "close_dispute", args: { transaction_id } } };
  }
}
