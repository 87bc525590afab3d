// The person: wallet, balance, registration and meter; and the community.

import type { Prosumer } from "../../client/src/index.js";
import { isXlm, xlmBalance } from "../chain/token.js";
import { Button, CopyButton, Facts, LoadedView, Person } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { fullLink } from "../person/place.js";
import { useSession } from "../person/session.js";
import { SignatureLinks } from "../signing/SignatureLinks.js";
import type { Wallet } from "../wallet/wallet.js";
import { XLM } from "../words/format.js";
import { Connect } from "./Connect.js";
import { ContractCard } from "./ContractCard.js";
import { MeterForm } from "./MeterForm.js";

export function Home() {
  const { words, wallet } = useSession();
  return (
    <>
      <h1>{words.start.title}</h1>
      {wallet ? <Me wallet={wallet} /> : <Connect />}
      <ContractCard />
      <SignatureLinks />
    </>
  );
}

function Me({ wallet: { address, kind } }: { wallet: Wallet }) {
  const { chain, token, words, format, version, connect } = useSession();
  const loaded = useLoad(
    async () => {
      const [prosumer, balance, xlm] = await Promise.all([
        chain.prosumer(address),
        token.balance(address),
        isXlm(chain, token) ? 0n : xlmBalance(chain, address),
      ]);
      return { prosumer, balance, xlm };
    },
    address,
    version,
  );
  return (
    <>
      <section class="card stack">
        <LoadedView of={loaded} words={words}>
          {({ prosumer, balance, xlm }) => (
            <>
              <h2 class="quiet">{words.wallet.balance}</h2>
              <p class="big">{format.amount(balance, token)}</p>
              {!isXlm(chain, token) && <p class="hint">{words.wallet.forFees(format.amount(xlm, XLM))}</p>}
              <Registration prosumer={prosumer} address={address} />
            </>
          )}
        </LoadedView>
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
      {loaded.value?.prosumer && <Meter prosumer={loaded.value.prosumer} address={address} />}
    </>
  );
}

function Registration({ prosumer, address }: { prosumer: Prosumer | undefined; address: string }) {
  const { words, act } = useSession();
  if (!prosumer)
    return (
      <Button
        kind="primary"
        hint={words.me.registerLead}
        onClick={() => act({ kind: "send", call: { method: "register_prosumer", args: { prosumer: address } } })}
      >
        {words.me.register}
      </Button>
    );
  return (
    <div class="action">
      <p>
        <span class="tag good">{words.me.registered}</span>
      </p>
      <CopyButton text={fullLink({ name: "offer", consumer: address })}>{words.me.offerLink}</CopyButton>
      <p class="hint">{words.me.offerLinkHint}</p>
    </div>
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
