// What this contract is: its code, token and admin, and for how long its life is paid.

import { useState } from "preact/hooks";
import { codesOf, type Code } from "../chain/code.js";
import { secondsToLive } from "../chain/life.js";
import { homeDomain } from "../chain/token.js";
import { acceptedWasm, doubtsOf } from "../contract/accepted.js";
import { Button, Facts, Field, Form, LoadedView, Notice, Person, WholeAddress } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { communities, forgetPlace, href, nameCommunity } from "../person/place.js";
import { useSession } from "../person/session.js";
import { Doubts } from "../signing/Trusted.js";
import { Communities } from "./Communities.js";

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
        {doubts.length > 0 && <Doubts doubts={doubts} />}
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

/** Who stands behind an asset: an address that nobody can copy, and the domain that its account names. */
function Issuer({ code: { asset } }: { code: Extract<Code, { kind: "asset" }> }) {
  const { chain, words } = useSession();
  const issuer = asset.isNative() ? undefined : asset.getIssuer();
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
