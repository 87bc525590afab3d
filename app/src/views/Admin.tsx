// For the admin: disputes, members and their meters, and the contract's life.

import { useState } from "preact/hooks";
import { openDisputes } from "../chain/disputes.js";
import { readMembers, type Member } from "../chain/members.js";
import { placeOf } from "../contract/describe.js";
import { addressProblem, typedAddress } from "../parts/addresses.js";
import { Button, Facts, Field, Form, LoadedView, Notice, Person } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { typedNumber } from "../parts/numbers.js";
import { go, href } from "../person/place.js";
import { useSession } from "../person/session.js";
import { ContractLife } from "./ContractCard.js";
import { MeterForm } from "./MeterForm.js";

export function Admin() {
  const { words, me, config } = useSession();
  return (
    <>
      <h1>{words.admin.title}</h1>
      <p class="lead">{words.admin.lead}</p>
      {me !== config.admin && <Notice kind="info">{words.admin.notYou}</Notice>}
      <Disputes />
      <MemberList />
      <Find />
      <section class="card stack">
        <h2>{words.admin.life}</h2>
        <ContractLife />
        <p class="hint">{words.admin.lifeLead}</p>
      </section>
      <OpenAgreement />
    </>
  );
}

function Disputes() {
  const { chain, words, format, version, now, nameOf } = useSession();
  const [read, setRead] = useState(0);
  const loaded = useLoad((signal) => openDisputes(chain, now, setRead, signal), chain, version);
  return (
    <section class="card stack">
      <h2>{words.admin.disputes}</h2>
      {!loaded.value && read > 0 && <p role="status">{words.admin.reading(format.number(BigInt(read)))}</p>}
      <LoadedView of={loaded} words={words}>
        {(disputes) =>
          disputes.length === 0 ? (
            <p class="hint">{words.admin.noDisputes}</p>
          ) : (
            <ul class="links">
              {disputes.map(({ transaction_id, agreement_id, provider, consumer, energy_delivered_kwh }) => (
                <li key={String(transaction_id)}>
                  <a href={href({ name: "agreement", id: agreement_id })}>
                    {words.agreement.title(String(agreement_id))}, {words.agreement.delivery(String(placeOf(transaction_id).delivery))}
                  </a>
                  <span class="hint">
                    {words.agreements.between(nameOf(provider, "dative"), nameOf(consumer))} · {format.kwh(energy_delivered_kwh)}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </LoadedView>
    </section>
  );
}

/** All members with their meters; each opens to what the admin can do about it. */
function MemberList() {
  const { chain, words, format, version } = useSession();
  const loaded = useLoad(() => readMembers(chain), chain, version);
  return (
    <section class="card stack">
      <h2>{words.members.title}</h2>
      <LoadedView of={loaded} words={words}>
        {({ found, registered }) => (
          <>
            <p>{words.members.found(format.number(BigInt(found.length)), format.number(registered))}</p>
            {found.map((member) => (
              <MemberItem key={member.address} member={member} />
            ))}
          </>
        )}
      </LoadedView>
    </section>
  );
}

function MemberItem({ member: { address, meter, maxPowerKw } }: { member: Member }) {
  const { words, format } = useSession();
  const [open, setOpen] = useState(false);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Person address={address} /> · {meter ? words.members.plant(format.kw(maxPowerKw)) : words.members.noMeter}
      </summary>
      {open && (
        <div class="stack">
          <Neighbour address={address} />
        </div>
      )}
    </details>
  );
}

function Find() {
  const { words } = useSession();
  const [typed, setTyped] = useState("");
  const [address, setAddress] = useState<string>();
  const [bad, setBad] = useState<string>();
  const submit = (event: Event) => {
    event.preventDefault();
    const found = typedAddress(typed);
    const problem = addressProblem(found, words);
    setBad(problem);
    setAddress(problem ? undefined : found);
  };
  return (
    <section class="card stack">
      <h2>{words.admin.find}</h2>
      <Form class="stack" onSubmit={submit}>
        <Field label={words.admin.address} value={typed} onInput={setTyped} problem={bad} />
        <Button submit>{words.admin.show}</Button>
      </Form>
      {address && <Neighbour address={address} />}
    </section>
  );
}

function Neighbour({ address }: { address: string }) {
  const { chain, words, format, me, config, version, act } = useSession();
  const loaded = useLoad(async () => ({ prosumer: await chain.prosumer(address) }), address, version);
  return (
    <LoadedView of={loaded} words={words}>
      {({ prosumer }) =>
        !prosumer ? (
          <Notice kind="warning">{words.admin.notRegistered}</Notice>
        ) : (
          <>
            <Facts
              facts={[
                [words.admin.meterNow, prosumer.meter ? <Person address={prosumer.meter} /> : words.admin.none],
                !!prosumer.meter && [words.plant.power, format.kw(prosumer.max_power_kw)],
                [words.me.reading, format.kwh(prosumer.meter_reading)],
                [words.me.sold, format.kwh(prosumer.energy_sold_kwh)],
              ]}
            />
            {me === config.admin && (
              <>
                {prosumer.meter && (
                  <Button
                    kind="danger"
                    onClick={() => {
                      const args = { prosumer: address, meter: null, meter_reading: 0n, max_power_kw: 0n };
                      act({ kind: "send", call: { method: "register_meter", args } });
                    }}
                  >
                    {words.admin.retire}
                  </Button>
                )}
                <h3>{words.admin.certify}</h3>
                <MeterForm prosumer={address} other={address} />
              </>
            )}
          </>
        )
      }
    </LoadedView>
  );
}

function OpenAgreement() {
  const { words, format } = useSession();
  const [number, setNumber] = useState("");
  const [tried, setTried] = useState(false);
  // It may be copied with the word before it.
  const { value: id, problem } = typedNumber(format.parseWhole(number.replace(words.agreement.title(""), "")), words);
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (id !== undefined) go({ name: "agreement", id });
  };
  return (
    <section class="card stack">
      <h2>{words.admin.openAgreement}</h2>
      <Form class="stack" onSubmit={submit}>
        <Field
          label={words.admin.number}
          numeric
          value={number}
          onInput={setNumber}
          problem={tried ? problem : undefined}
        />
        <Button submit>{words.common.open}</Button>
      </Form>
    </section>
  );
}
