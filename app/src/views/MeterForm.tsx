// Asks for a meter's certificate, which the neighbour and the admin both sign: whoever begins makes a link for the other.

import { MAX_POWER, MAX_READING } from "../contract/limits.js";
import { addressProblem, typedAddress } from "../parts/addresses.js";
import { Button, Field, Form } from "../parts/basics.js";
import { useDraft } from "../parts/draft.js";
import { typedNumber } from "../parts/numbers.js";
import { useSession } from "../person/session.js";

export function MeterForm({ prosumer, other }: { prosumer: string; other: string }) {
  const { words, format, me, act } = useSession();
  const { form, fields, set, tried, setTried } = useDraft(`meter ${prosumer}`, { meter: "", reading: "", power: "" });
  const meter = typedAddress(fields.meter);
  const badMeter = addressProblem(meter, words) ?? (meter === prosumer ? words.meter.own : undefined);
  const reading = typedNumber(format.parseKwh(fields.reading), words, { least: 0n, most: MAX_READING, shown: format.kwh(MAX_READING) });
  const power = typedNumber(format.parseKw(fields.power), words, { most: MAX_POWER, shown: format.kw(MAX_POWER) });
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (badMeter || reading.value === undefined || power.value === undefined) return;
    const args = { prosumer, meter, meter_reading: reading.value, max_power_kw: power.value };
    const call = { method: "register_meter", args } as const;
    // An admin who is the neighbour signs for both.
    act(me === other ? { kind: "send", call, form } : { kind: "share", call, other, form });
  };
  return (
    <Form class="stack" onSubmit={submit}>
      <Field
        label={words.meter.address}
        hint={words.meter.addressHint}
        value={fields.meter}
        onInput={set("meter")}
        problem={tried ? badMeter : undefined}
      />
      <Field
        label={words.meter.reading}
        numeric
        value={fields.reading}
        onInput={set("reading")}
        problem={tried ? reading.problem : undefined}
      />
      <Field
        label={words.meter.power}
        numeric
        hint={words.meter.powerHint}
        value={fields.power}
        onInput={set("power")}
        problem={tried ? power.problem : undefined}
      />
      <p class="hint">{words.meter.explain}</p>
      <Button kind="primary" submit>
        {words.meter.send}
      </Button>
    </Form>
  );
}
