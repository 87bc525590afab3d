// What this person can do about an agreement as a whole.

import { useState } from "preact/hooks";
import { AgreementStatus, Deposit, type AgreementEntry, type Prosumer } from "../../client/src/index.js";
import type { Call } from "../contract/calls.js";
import { MAX_READING } from "../contract/limits.js";
import {
  agreementActions,
  remainingKwh,
  settlement,
  surplus,
  type AgreementActionName,
  type Delivery,
  type Role,
} from "../contract/rules.js";
import { acceptedOffers, acceptOffer } from "../person/inbox.js";
import { go } from "../person/place.js";
import { useSession, type Session } from "../person/session.js";
import { isOffer } from "../person/todo.js";
import { Button, Field, Form, Notice } from "./basics.js";
import { dayOf } from "./days.js";
import { prepareDraft, useDraft } from "./draft.js";
import { AcceptToken } from "./means.js";
import { typedNumber } from "./numbers.js";
import { usePaymentReason, type Means } from "./payment.js";
import { reasonText } from "./reasons.js";

interface Props {
  entry: AgreementEntry;
  deliveries: Delivery[];
  role: Role;
  seller: Prosumer | undefined;
  /** None for whoever only reads. */
  means: Means | undefined;
}

export function AgreementActions(props: Props) {
  const session = useSession();
  const { chain, words, now, act } = session;
  const { entry, deliveries, role, seller, means } = props;
  const [accepted, setAccepted] = useState(() => acceptedOffers(chain.contractId, [entry.agreement.agreement_id]).size > 0);
  const answers = role === "consumer" && isOffer(entry);
  // What can be done stands before what cannot.
  const actions = agreementActions(entry, deliveries, role, seller, now).sort((a, b) => Number(!!a.blocked) - Number(!!b.blocked));
  const paymentReason = usePaymentReason(means);
  if (role !== "provider" && role !== "consumer") return null;
  const accept = () => {
    acceptOffer(chain.contractId, entry.agreement.agreement_id);
    setAccepted(true);
  };
  const renews = role === "provider" && entry.agreement.status !== AgreementStatus.Active;
  const funds = actions.some(({ name }) => name === "fundMetered" || name === "fundReviewed");
  return (
    <section class="card stack unprinted">
      <h2>{answers && !accepted ? words.answer.title : words.agreement.what}</h2>
      {answers && <p>{accepted ? words.answer.accepted : words.answer.lead}</p>}
      {means && <AcceptToken acceptance={means.me.acceptance} />}
      {funds && means && means.seller.acceptance !== "ready" && <Notice kind="warning">{words.means.sellerWarning(session.token.symbol)}</Notice>}
      {actions.length === 0 && !renews && <p>{words.agreement.nothing}</p>}
      {answers && !accepted && (
        <Button hint={words.answer.billHint} onClick={accept}>
          {words.answer.bill}
        </Button>
      )}
      {renews && <Renew entry={entry} />}
      {actions.map(({ name, blocked }, index) => {
        const reason = blocked ? reasonText(blocked, session) : paymentReason(name, amountOf(name, props, session), entry.state.deposit !== Deposit.None);
        if (name === "deliver" && !reason) return <DeliverForm key={name} entry={entry} seller={seller} />;
        return (
          <Button
            key={name}
            kind={name === "cancel" ? "danger" : index === 0 && !reason && !answers ? "primary" : "plain"}
            blocked={reason}
            hint={answers && name === "cancel" ? words.answer.declineHint : hint(name, props, session)}
            onClick={() => {
              const call = callFor(name, props, session);
              if (call) act({ kind: "send", call });
            }}
          >
            {answers && name === "cancel" ? words.answer.decline : words.agreementActions[name]}
          </Button>
        );
      })}
    </section>
  );
}

/** Fills in an offer with the same energy and price, and a deadline that is as far ahead as it was. */
function Renew({ entry: { agreement } }: { entry: AgreementEntry }) {
  const { words, format, token, now } = useSession();
  const { consumer, energy_amount_kwh: kwh, price_per_kwh: price, created_at, delivery_deadline } = agreement;
  const renew = () => {
    prepareDraft(`offer ${consumer}`, {
      consumer,
      kwh: format.typed(kwh, 0),
      price: format.typed(price, token.decimals),
      deadline: dayOf(now + delivery_deadline - created_at),
    });
    go({ name: "offer", consumer });
  };
  return (
    <Button kind="primary" hint={words.renew.hint(format.kwh(kwh), words.agreements.perKwh(format.amount(price, token)))} onClick={renew}>
      {words.renew.button}
    </Button>
  );
}

function callFor(name: AgreementActionName, { entry, deliveries, role }: Props, { me = "", now }: Session): Call | undefined {
  const { agreement_id } = entry.agreement;
  switch (name) {
    case "fundMetered":
      return { method: "fund_agreement", args: { agreement_id, consumer: me, deposit: Deposit.Metered } };
    case "fundReviewed":
      return { method: "fund_agreement", args: { agreement_id, consumer: me, deposit: Deposit.Reviewed } };
    case "pay":
    case "draw": {
      const due = settlement(entry, deliveries, role, now);
      return due && { method: "settle_agreement", args: { agreement_id, through: due.through, settler: me } };
    }
    case "cancel":
      return { method: "cancel_agreement", args: { agreement_id, canceller: me } };
    case "refund":
      return { method: "claim_refund", args: { agreement_id } };
    case "deliver":
      return undefined;
  }
}

/** What it would move. */
const amountOf = (name: AgreementActionName, { entry, deliveries, role }: Props, { now }: Session): bigint =>
  name === "pay" || name === "draw" ? (settlement(entry, deliveries, role, now)?.amount ?? 0n) : entry.agreement.total_amount;

function hint(name: AgreementActionName, { entry, deliveries, role }: Props, { words, format, token, now }: Session): string | undefined {
  const say = words.agreementHints;
  const amount = (value: bigint) => format.amount(value, token);
  const due = () => amount(settlement(entry, deliveries, role, now)?.amount ?? 0n);
  switch (name) {
    case "fundMetered":
    case "fundReviewed":
      return say[name](amount(entry.agreement.total_amount));
    case "pay":
      return (entry.state.deposit === Deposit.None ? say.pay : say.payFromDeposit)(due());
    case "draw":
      return say.draw(due());
    case "refund":
      return say.refund(amount(surplus(entry)));
    case "cancel":
      return role === "provider" ? say.cancelSeller : say.cancelBuyer;
    case "deliver":
      return undefined;
  }
}

function DeliverForm({ entry, seller }: { entry: AgreementEntry; seller: Prosumer | undefined }) {
  const { words, format, me = "", act } = useSession();
  const { agreement_id } = entry.agreement;
  const { form, fields, set, tried, setTried } = useDraft(`delivery ${agreement_id}`, { kwh: "", reading: "" });
  const most = remainingKwh(entry);
  const last = seller?.meter_reading ?? 0n;
  const kwh = typedNumber(format.parseKwh(fields.kwh), words, { most, shown: format.kwh(most) });
  const reading = typedNumber(format.parseKwh(fields.reading), words, { most: MAX_READING, shown: format.kwh(MAX_READING) });
  const goesBack = reading.value !== undefined && reading.value < last ? words.deliver.goesBack(format.kwh(last)) : undefined;
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (kwh.value === undefined || reading.value === undefined || goesBack) return;
    act({
      kind: "send",
      call: {
        method: "deliver_energy",
        args: { agreement_id, energy_delivered_kwh: kwh.value, meter_reading: reading.value, provider: me },
      },
      form,
    });
  };
  return (
    <Form class="stack" onSubmit={submit}>
      <Field label={words.deliver.kwh} numeric value={fields.kwh} onInput={set("kwh")} problem={tried ? kwh.problem : undefined} />
      <Field
        label={words.deliver.reading}
        numeric
        hint={words.deliver.readingHint(format.kwh(last))}
        value={fields.reading}
        onInput={set("reading")}
        problem={tried ? (reading.problem ?? goesBack) : undefined}
      />
      <Button kind="primary" submit>
        {words.agreementActions.deliver}
      </Button>
    </Form>
  );
}
