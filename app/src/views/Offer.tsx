// Offers energy to a neighbour; the total is shown while it is typed.

import { useId, useState } from "preact/hooks";
import { MAX_TERM } from "../contract/limits.js";
import { addressProblem, typedAddress } from "../parts/addresses.js";
import { Button, Field, Form, NoAccount } from "../parts/basics.js";
import { dayOf, endOfDay } from "../parts/days.js";
import { useDone } from "../parts/done.js";
import { useDraft } from "../parts/draft.js";
import { useLoad } from "../parts/load.js";
import { NameFromLink } from "../parts/naming.js";
import { examplePrice, typedNumber, typedPrice } from "../parts/numbers.js";
import { SendOffer } from "../parts/SendLink.js";
import { href } from "../person/place.js";
import { useSession } from "../person/session.js";

export function Offer({ to, called }: { to: string; called?: string }) {
  const { words, me } = useSession();
  const [made, setMade] = useState<bigint>();
  useDone("create_agreement", (_, { agreement }) => setMade(agreement));
  return (
    <>
      <h1>{words.offer.title}</h1>
      <p class="lead">{words.offer.lead}</p>
      <NameFromLink address={to} called={called} />
      {made !== undefined && <Made id={made} />}
      {me ? <OfferForm key={to} to={to} me={me} /> : <NoAccount />}
    </>
  );
}

/** An agreement ends with a day, up to 24 hours after any time of it. */
const FURTHEST = MAX_TERM - 24n * 60n * 60n;

/** The offer that was just made, to send to its buyer. */
function Made({ id }: { id: bigint }) {
  const { words } = useSession();
  return (
    <section class="card stack" data-made>
      <h2>{words.send.title}</h2>
      <SendOffer id={id} />
      <a href={href({ name: "agreement", id })}>{words.send.another}</a>
    </section>
  );
}

function OfferForm({ to, me }: { to: string; me: string }) {
  const { chain, words, format, token, now, names, version, act } = useSession();
  const say = words.offer;
  const { form, fields, set, tried, setTried } = useDraft(`offer ${to}`, { consumer: to, kwh: "", price: "", deadline: "" });
  const known = useId();
  const consumer = typedAddress(fields.consumer);
  const [first, last] = [dayOf(now), dayOf(now + FURTHEST)];

  const badConsumer = addressProblem(consumer, words) ?? (consumer === me ? say.yourself : undefined);
  const kwh = typedNumber(format.parseKwh(fields.kwh), words);
  const price = typedPrice(fields.price, words, format, token);
  const badDeadline = fields.deadline >= first && fields.deadline <= last ? undefined : say.badDeadline;
  const total = kwh.value !== undefined && price.value !== undefined ? kwh.value * price.value : undefined;
  const buyer = useLoad(
    async () => (badConsumer ? undefined : { registered: (await chain.prosumer(consumer)) !== undefined }),
    consumer,
    version,
  );

  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (badConsumer || buyer.value?.registered === false || badDeadline || kwh.value === undefined || price.value === undefined) return;
    const terms = { energy_amount_kwh: kwh.value, price_per_kwh: price.value, delivery_deadline: endOfDay(fields.deadline) };
    act({ kind: "send", call: { method: "create_agreement", args: { provider: me, consumer, ...terms } }, form });
  };
  return (
    <Form class="card stack" onSubmit={submit}>
      <Field
        label={say.consumer}
        hint={say.consumerHint}
        value={fields.consumer}
        onInput={set("consumer")}
        problem={tried ? badConsumer : undefined}
        list={known}
      />
      <datalist id={known}>
        {Object.entries(names).map(([address, name]) => (
          <option key={address} value={address} label={name} />
        ))}
      </datalist>
      <Field label={say.kwh} numeric value={fields.kwh} onInput={set("kwh")} problem={tried ? kwh.problem : undefined} />
      <Field
        label={say.price(token.symbol)}
        numeric
        hint={say.priceHint(examplePrice(format, token))}
        value={fields.price}
        onInput={set("price")}
        problem={tried ? price.problem : undefined}
        meanings={price.meanings}
      />
      <Field
        label={say.deadline}
        type="date"
        hint={say.deadlineHint}
        min={first}
        max={last}
        value={fields.deadline}
        onInput={set("deadline")}
        problem={tried ? badDeadline : undefined}
      />
      <p class="total" role="status">
        {say.total} <output class="big">{total === undefined ? "–" : format.amount(total, token)}</output>
      </p>
      <Button kind="primary" submit blocked={buyer.value?.registered === false ? say.notRegistered : undefined}>
        {say.send}
      </Button>
    </Form>
  );
}
