// What the person has to do, what this month brought, and what the page knows of the person: wallet, registration, meter; and the community.

import { useState } from "preact/hooks";
import type { Prosumer } from "../../client/src/index.js";
import type { Activity } from "../chain/activity.js";
import { isXlm, xlmBalance } from "../chain/token.js";
import { Button, CopyButton, Facts, Field, LoadedView, Person } from "../parts/basics.js";
import { useLoad, type Loaded } from "../parts/load.js";
import { OwnAcceptance } from "../parts/means.js";
import { inMonth, monthOf, sumOf, type Row } from "../person/books.js";
import { keepOwnName, readOwnName } from "../person/names.js";
import { fullLink, href } from "../person/place.js";
import { useSession } from "../person/session.js";
import { SignatureLinks } from "../signing/SignatureLinks.js";
import type { Wallet } from "../wallet/wallet.js";
import { XLM } from "../words/format.js";
import { Connect } from "./Connect.js";
import { ContractCard } from "./ContractCard.js";
import { MeterForm } from "./MeterForm.js";
import { tasksIn, TodoList } from "./Todo.js";

export function Home({ activity }: { activity: Loaded<Activity | undefined> }) {
  const { words, wallet } = useSession();
  return (
    <>
      <h1>{wallet ? words.nav.home : words.start.title}</h1>
      {wallet ? <Me wallet={wallet} activity={activity} /> : <Connect />}
      <ContractCard />
      <SignatureLinks />
    </>
  );
}

function Me({ wallet, activity }: { wallet: Wallet; activity: Loaded<Activity | undefined> }) {
  const { chain, words, now } = useSession();
  const { address } = wallet;
  const [, forgotten] = useState(0);
  return (
    <>
      <OwnAcceptance address={address} />
      <LoadedView of={activity} words={words}>
        {(read) =>
          read && (
            <>
              {read.prosumer ? (
                <TodoList tasks={tasksIn(read, address, chain.contractId, now)} onForget={() => forgotten((times) => times + 1)} />
              ) : (
                <Register address={address} />
              )}
              {read.prosumer && <Month rows={read.rows} />}
            </>
          )
        }
      </LoadedView>
      <Account wallet={wallet} registered={!!activity.value?.prosumer} />
      {activity.value?.prosumer && <Meter prosumer={activity.value.prosumer} address={address} />}
    </>
  );
}

function Register({ address }: { address: string }) {
  const { words, act } = useSession();
  return (
    <section class="card stack">
      <h2>{words.todo.title}</h2>
      <Button
        kind="primary"
        hint={words.me.registerLead}
        onClick={() => act({ kind: "send", call: { method: "register_prosumer", args: { prosumer: address } } })}
      >
        {words.me.register}
      </Button>
    </section>
  );
}

/** What was bought and sold since the month began by the person's own calendar, and for how much, paid or not. */
function Month({ rows }: { rows: Row[] }) {
  const { words, format, token, now } = useSession();
  const say = words.month;
  const today = new Date(Number(now) * 1000);
  const { boughtKwh, soldKwh, paid, toPay, received, toReceive } = sumOf(inMonth(rows, monthOf(today)));
  return (
    <section class="card stack">
      <h2>{say.title(format.month(today))}</h2>
      {boughtKwh + soldKwh === 0n ? (
        <p class="hint">{say.none}</p>
      ) : (
        <Facts
          facts={[
            boughtKwh > 0n && [say.bought, format.kwh(boughtKwh)],
            boughtKwh > 0n && [say.cost, <strong>{format.amount(paid + toPay, token)}</strong>],
            soldKwh > 0n && [say.sold, format.kwh(soldKwh)],
            soldKwh > 0n && [say.brings, <strong>{format.amount(received + toReceive, token)}</strong>],
          ]}
        />
      )}
      <a href={href({ name: "history" })}>{words.month.all}</a>
    </section>
  );
}

function Account({ wallet: { address, kind }, registered }: { wallet: Wallet; registered: boolean }) {
  const { chain, token, words, format, version, connect } = useSession();
  const loaded = useLoad(
    async () => {
      const [balance, xlm] = await Promise.all([token.balance(address), isXlm(chain, token) ? 0n : xlmBalance(chain, address)]);
      return { balance, xlm };
    },
    address,
    version,
  );
  return (
    <section class="card stack">
      <LoadedView of={loaded} words={words}>
        {({ balance, xlm }) => (
          <>
            <h2 class="quiet">{words.wallet.balance}</h2>
            <p class="big">{format.amount(balance, token)}</p>
            {!isXlm(chain, token) && <p class="hint">{words.wallet.forFees(format.amount(xlm, XLM))}</p>}
          </>
        )}
      </LoadedView>
      {registered && <Registered address={address} />}
      <div class="account">
        <h3>{words.me.yourAddress}</h3>
        <code class="address">{address}</code>
        <div class="row">
          <CopyButton text={address}>{words.common.copy}</CopyButton>
          <Button onClick={() => connect(undefined)}>{words.wallet.disconnect}</Button>
        </div>
        {kind === "browser" && <p class="hint">{words.wallet.browserUsed}</p>}
        {kind === "play" && <p class="hint">{words.wallet.playUsed}</p>}
      </div>
    </section>
  );
}

/** The link by which a neighbour offers energy to this person, with the person's own name if it likes. */
function Registered({ address }: { address: string }) {
  const { words } = useSession();
  const [own, setOwn] = useState(readOwnName);
  return (
    <>
      <p>
        <span class="tag good">{words.me.registered}</span>
      </p>
      <Field
        label={words.names.own}
        hint={words.names.ownHint}
        value={own}
        onInput={(name) => {
          setOwn(name);
          keepOwnName(name);
        }}
      />
      <div class="action">
        <CopyButton text={fullLink({ name: "offer", consumer: address, called: readOwnName() })}>{words.me.offerLink}</CopyButton>
        <p class="hint">{words.me.offerLinkHint}</p>
      </div>
    </>
  );
}

function Meter({ prosumer, address }: { prosumer: Prosumer; address: string }) {
  const { words, format, config } = useSession();
  return (
    <section class="card stack">
      <h2>{words.me.meter}</h2>
      <p>{prosumer.meter ? words.me.hasMeter : words.me.noMeter}</p>
      <Facts
        facts={[
          !!prosumer.meter && [words.admin.meterNow, <Person address={prosumer.meter} />],
          !!prosumer.meter && [words.plant.power, format.kw(prosumer.max_power_kw)],
          prosumer.meter_reading > 0n && [words.me.reading, format.kwh(prosumer.meter_reading)],
          !!prosumer.meter && [words.me.sold, format.kwh(prosumer.energy_sold_kwh)],
        ]}
      />
      <details>
        <summary>{words.me.askMeter}</summary>
        <MeterForm prosumer={address} other={config.admin} />
      </details>
    </section>
  );
}
