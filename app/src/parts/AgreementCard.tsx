// An agreement at a glance.

import { AgreementStatus, Deposit, type AgreementEntry } from "../../client/src/index.js";
import { roleOf } from "../contract/rules.js";
import { href } from "../person/place.js";
import { useSession } from "../person/session.js";
import type { Words } from "../words/en.js";
import { Facts, Person, type Fact } from "./basics.js";

export function AgreementCard({ entry, linked }: { entry: AgreementEntry; linked?: boolean }) {
  const { words, format, token, now, me, config, nameOf } = useSession();
  const { agreement, state } = entry;
  const role = roleOf(entry, me, config.admin);
  const due = role === "provider" ? words.agreements.dueToYou : role === "consumer" ? words.agreements.due : words.agreements.dueToSeller;
  const open = agreement.status === AgreementStatus.Active;
  const facts: Fact[] = [
    state.pending_amount > 0n && [due, <strong>{format.amount(state.pending_amount, token)}</strong>],
    [words.agreement.price, words.agreements.perKwh(format.amount(agreement.price_per_kwh, token))],
    [words.agreement.total, format.amount(agreement.total_amount, token)],
    state.escrow_amount > 0n && [words.deposit.left, format.amount(state.escrow_amount, token)],
    [
      words.agreement.until,
      <span title={format.dateTime(agreement.delivery_deadline)}>
        {open ? format.fromNow(agreement.delivery_deadline, now) : format.date(agreement.delivery_deadline)}
      </span>,
    ],
  ];
  const heading =
    role === "provider" || role === "consumer" ? (
      <>
        {role === "provider" ? words.agreements.youSell : words.agreements.youBuy}{" "}
        <Person address={role === "provider" ? agreement.consumer : agreement.provider} />
      </>
    ) : (
      words.agreements.between(nameOf(agreement.provider), nameOf(agreement.consumer))
    );
  return (
    <article class={`card agreement ${role}`}>
      <h2>{linked ? <a href={href({ name: "agreement", id: agreement.agreement_id })}>{heading}</a> : heading}</h2>
      <p class="tags">
        <span class={`tag ${open ? "good" : ""}`}>{words.status[agreement.status]}</span>
        <span class="tag">{words.deposit.short[state.deposit]}</span>
        {linked && <span class="number">{words.agreement.title(String(agreement.agreement_id))}</span>}
      </p>
      <Delivered entry={entry} />
      <Facts facts={facts} />
      {!linked && <p class="hint">{depositText(state.deposit, words)}</p>}
    </article>
  );
}

/** Says how a deposit may be drawn. */
export function depositText(deposit: Deposit, { deposit: { none, reviewed, metered } }: Words): string {
  if (deposit === Deposit.None) return none;
  return deposit === Deposit.Reviewed ? reviewed : metered;
}

function Delivered({ entry: { agreement, state } }: { entry: AgreementEntry }) {
  const { words, format } = useSession();
  const text = words.agreements.delivered(format.number(state.energy_delivered_kwh), format.kwh(agreement.energy_amount_kwh));
  // The rounding is for the picture only; the text beside it is exact.
  const percent = Number((state.energy_delivered_kwh * 1000n) / agreement.energy_amount_kwh) / 10;
  return (
    <div class="delivered">
      <progress max={100} value={percent} aria-label={text} />
      <span>{text}</span>
    </div>
  );
}
