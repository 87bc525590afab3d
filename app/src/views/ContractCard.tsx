// What this contract is: token, admin, and for how long its life is paid.

import { secondsToLive } from "../chain/life.js";
import { Button, Facts, LoadedView, Notice, Person } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { forgetPlace, href } from "../person/place.js";
import { useSession } from "../person/session.js";

/** Below this its operator should extend it, in seconds: 30 days. */
const SOON = 30 * 24 * 60 * 60;

/** For how long the contract's place on the network is paid. */
export function ContractLife() {
  const { chain, words, format } = useSession();
  const life = useLoad(() => secondsToLive(chain), chain);
  return (
    <>
      <Facts
        facts={[
          [
            words.contract.life,
            <LoadedView of={life} words={words}>
              {(seconds) => format.days(seconds)}
            </LoadedView>,
          ],
        ]}
      />
      {life.value !== undefined && life.value < SOON && <Notice kind="warning">{words.contract.lifeShort}</Notice>}
    </>
  );
}

export function ContractCard() {
  const { chain, config, token, words } = useSession();
  return (
    <section class="card stack">
      <h2>{words.contract.title}</h2>
      <Facts
        facts={[
          [words.contract.token, token.symbol],
          [words.contract.network, words.start.networks[chain.network.name]],
          [words.contract.admin, <Person address={config.admin} />],
          [words.contract.contract, <code class="address">{chain.contractId}</code>],
        ]}
      />
      <ContractLife />
      <p class="hint">{words.contract.trust}</p>
      <a href={href({ name: "members" })}>{words.members.title}</a>
      <Button onClick={forgetPlace}>{words.contract.other}</Button>
    </section>
  );
}
