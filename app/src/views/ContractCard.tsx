// What this contract is: its code, token and admin, and for how long its life is paid.

import { useState } from "preact/hooks";
import { codesOf, type Code } from "../chain/code.js";
import { secondsToLive } from "../chain/life.js";
import { homeDomain } from "../chain/token.js";
import { acceptedWasm, doubtsOf } from "../contract/accepted.js";
import { prolongs } from "../contract/calls.js";
import { Button, Facts, Field, Form, LoadedView, Notice, Person, WholeAddress } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { communities, forgetPlace, href, nameCommunity } from "../person/place.js";
import { useSession } from "../person/session.js";
import { Doubts } from "../signing/Doubts.js";
import { toolsFor } from "../signing/toolbox.js";
import { Communities } from "./Communities.js";

/** Below this its operator should extend it, in seconds: 30 days. */
const SOON = 30 * 24 * 60 * 60;

/** For how long the contract's place on the network is paid, and for its admin a button that prolongs it. */
export function ContractLife() {
  const { chain, config, words, format, me, done } = useSession();
  // It changes by what is paid for it, and else only as time passes.
  const paid = done && prolongs(done.call) ? done.number : 0;
  const life = useLoad(() => secondsToLive(chain), chain, paid);
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
      {life.value !== undefined && life.value < SOON && (
        <Notice kind={life.value > 0 ? "warning" : "problem"}>{life.value > 0 ? words.contract.lifeShort : words.fees.isExpired}</Notice>
      )}
      {me === config.admin && life.value !== undefined && <Prolong expired={life.value === 0} paid={paid} />}
    </>
  );
}

export function ContractCard() {
  const { chain, config, token, words } = useSession();
  const codes = useLoad(() => codesOf(chain, token.contractId), chain);
  const doubts = codes.value ? doubtsOf(codes.value, acceptedWasm()) : [];
  const isKnown = !doubts.some((doubt) => doubt !== "foreignToken");
  return (
    <>
      <section class="card stack">
        <h2>{words.contract.title}</h2>
        <Facts
          facts={[
            [words.contract.token, <bdi>{token.symbol}</bdi>],
            codes.value?.token.kind === "asset" && [words.trust.issuer, <Issuer code={codes.value.token} />],
            [words.trust.tokenContract, <WholeAddress of={token.contractId} />],
            [words.contract.network, words.start.networks[chain.network.name]],
            [words.contract.admin, <Person address={config.admin} />],
            [words.contract.contract, <WholeAddress of={chain.contractId} />],
            [
              words.trust.code,
              <LoadedView of={codes} words={words}>
                {() => (isKnown ? words.trust.known : words.trust.codeNotKnown)}
              </LoadedView>,
            ],
          ]}
        />
        {codes.value && <Doubts codes={codes.value} />}
        <ContractLife />
        <p class="hint">{words.contract.trust}</p>
        <a href={href({ name: "members" })}>{words.members.title}</a>
        <Naming />
        <Button onClick={forgetPlace}>{words.contract.other}</Button>
      </section>
      <Communities words={words} current={chain.contractId} />
    </>
  );
}

/** For the operator: what is signed is shown with its price first. */
function Prolong({ expired, paid }: { expired: boolean; paid: number }) {
  const { chain, words, act } = useSession();
  const call = useLoad(async () => (await toolsFor(chain)).prolonging(chain), chain, paid);
  return (
    <LoadedView of={call} words={words}>
      {(call) => <Button onClick={() => act({ kind: "send", call })}>{expired ? words.fees.restore : words.fees.extend}</Button>}
    </LoadedView>
  );
}

/** Who stands behind an asset: an address that nobody can copy, and the domain that its account names. */
function Issuer({ code: { asset } }: { code: Extract<Code, { kind: "asset" }> }) {
  const { chain, words } = useSession();
  const { issuer } = asset;
  const domain = useLoad(async () => (issuer ? homeDomain(chain, issuer) : ""), issuer);
  if (!issuer) return <>{words.trust.ofNetwork}</>;
  return (
    <>
      {domain.value && <bdi>{domain.value}</bdi>}
      <WholeAddress of={issuer} />
    </>
  );
}

function Naming() {
  const { chain, words } = useSession();
  const [name, setName] = useState(communities().find(({ contractId }) => contractId === chain.contractId)?.name ?? "");
  const save = (event: Event) => {
    event.preventDefault();
    nameCommunity(chain.contractId, name);
  };
  return (
    <details>
      <summary>{words.communities.name}</summary>
      <Form class="stack" onSubmit={save}>
        <Field label={words.communities.name} hint={words.communities.nameHint} value={name} onInput={setName} />
        <Button submit>{words.communities.save}</Button>
      </Form>
    </details>
  );
}
