// An agreement at a glance.

import { AgreementStatus, Deposit, type AgreementEntry } from "../../client/src/index.js";
import { roleOf, type Role } from "../contract/rules.js";
import { acceptedOffers } from "../person/inbox.js";
import { href } from "../person/place.js";
import { useSession } from "../person/session.js";
import { isOffer } from "../person/todo.js";
import type { Words } from "../words/en.js";
import { Facts, Person, type Fact } from "./basics.js";

export function AgreementCard({ entry, linked }: { entry: AgreementEntry; linked?: boolean }) {
  const { chain, words, format, token, now, me, config, nameOf } = useSession();
  const { agreement, state } = entry;
  const role = roleOf(entry, me, config.admin);
  const open = agreement.status === AgreementStatus.Active;
  const offer = isOffer(entry) && acceptedOffers(chain.contractId, [agreement.agreement_id]).size === 0;
  // What is disputed is not due before a ruling.
  const due = state.pending_amount - state.disputed_amount;
  const facts: Fact[] = [
    due > 0n && [dueLabel(state.deposit, role, words), <strong>{format.amount(due, token)}</strong>],
    state.disputed_amount > 0n && [words.agreements.disputed, format.amount(state.disputed_amount, token)],
    [words.agreement.price, words.agreements.perKwh(format.amount(agreement.price_per_kwh, token))],
    [words.agreement.total, format.amount(agreement.total_amount, token)],
    state.escrow_amount > 0n && [words.deposit.left, format.amount(state.escrow_amount, token)],
    [
      words.agreement.until,
      open ? format.when(agreement.delivery_deadline, now) : format.dateTime(agreement.delivery_deadline),
    ],
  ];
  const heading =
    role === "provider" || role === "consumer" ? (
      <>
        {role === "provider" ? words.agreements.youSell : words.agreements.youBuy}{" "}
        <Person address={role === "provider" ? agreement.consumer : agreement.provider} />
      </>
    ) : (
      words.agreements.between(nameOf(agreement.provider, "dative"), nameOf(agreement.consumer))
    );
  return (
    <article class={`card agreement ${role} ${offer ? "offer" : ""}`}>
      <h2>{linked ? <a href={href({ name: "agreement", id: agreement.agreement_id })}>{heading}</a> : heading}</h2>
      <p class="tags">
        {offer ? (
          <span class="tag due">{words.answer.tag}</span>
        ) : (
          <>
            <span class={`tag ${open ? "good" : ""}`}>{words.status[agreement.status]}</span>
            <span class="tag">{words.deposit.short[state.deposit]}</span>
          </>
        )}
        {linked && <span class="number">{words.agreement.title(String(agreement.agreement_id))}</span>}
      </p>
      {!offer && <Delivered entry={entry} />}
      <Facts facts={facts} />
      {!linked && !offer && <p class="hint">{depositText(state.deposit, words)}</p>}
      {offer && role === "provider" && <p class="hint">{words.answer.waitsSeller}</p>}
    </article>
  );
}

function dueLabel(deposit: Deposit, role: Role, { agreements: say }: Words): string {
  if (role === "provider") return say.dueToYou;
  if (deposit !== Deposit.None) return say.fromDeposit;
  return role === "consumer" ? say.due : say.dueToSeller;
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
