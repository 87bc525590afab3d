// How much of a disputed delivery is to be paid: a compromise that both parties sign, or the admin's ruling.

import type { AgreementEntry, EnergyTransaction } from "../../client/src/index.js";
import { useSession } from "../person/session.js";
import { Button, Field, Form } from "./basics.js";
import { useDraft } from "./draft.js";
import { typedNumber } from "./numbers.js";

interface Props {
  entry: AgreementEntry;
  transaction: EnergyTransaction;
  form: "compromise" | "rule";
}

export function AcceptForm({ entry: { agreement }, transaction: { transaction_id, energy_delivered_kwh: most }, form }: Props) {
  const { words, format, token, me = "", act } = useSession();
  const { form: draft, fields, set, tried, setTried } = useDraft(`${form} ${transaction_id}`, { kwh: "" });
  const kwh = typedNumber(format.parseKwh(fields.kwh), words, { least: 0n, most, shown: format.kwh(most) });
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (kwh.value === undefined) return;
    const call = { method: "resolve_dispute", args: { transaction_id, energy_accepted_kwh: kwh.value, resolver: me } } as const;
    if (form === "rule" || givesAlone(kwh.value)) act({ kind: "send", call, form: draft });
    else act({ kind: "share", call, other: me === agreement.provider ? agreement.consumer : agreement.provider, form: draft });
  };
  /** A party needs no second signature to give away what is its own: the consumer all, the provider nothing. */
  const givesAlone = (accepted: bigint) => accepted === (me === agreement.consumer ? most : 0n);
  return (
    <Form class="stack" onSubmit={submit}>
      <p>{words.deliveryHints[form]}</p>
      <Field
        label={words.accept.kwh}
        numeric
        hint={
          kwh.value === undefined
            ? words.accept.most(format.kwh(most))
            : words.accept.pays(format.amount(kwh.value * agreement.price_per_kwh, token))
        }
        value={fields.kwh}
        onInput={set("kwh")}
        problem={tried ? kwh.problem : undefined}
      />
      <Button kind="primary" submit>
        {words.share.review}
      </Button>
    </Form>
  );
}
