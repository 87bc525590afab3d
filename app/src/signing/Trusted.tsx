// Nothing is signed for a contract that this page does not know, before the person has said once that it shall be.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { codesOf, type Codes } from "../chain/code.js";
import { acceptedWasm, doubtsOf, type Doubt } from "../contract/accepted.js";
import { Button, LoadedView, Notice, WholeAddress } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { useSession } from "../person/session.js";
import { isTrusted, trust } from "../person/trust.js";

/** Shows what is in it if the contract is known or trusted, and else what is doubtful about it. */
export function Trusted({ children, onDecline }: { children: ComponentChildren; onDecline: () => void }) {
  const { chain, token, words } = useSession();
  const loaded = useLoad(() => codesOf(chain, token.contractId), chain);
  return (
    <LoadedView of={loaded} words={words}>
      {(codes) => (
        <Ask codes={codes} onDecline={onDecline}>
          {children}
        </Ask>
      )}
    </LoadedView>
  );
}

function Ask({ codes, children, onDecline }: { codes: Codes; children: ComponentChildren; onDecline: () => void }) {
  const { chain, words } = useSession();
  const [accepted, setAccepted] = useState(() => isTrusted(chain.contractId, codes));
  const doubts = doubtsOf(codes, acceptedWasm());
  if (doubts.length === 0 || accepted) return <>{children}</>;
  const accept = () => {
    trust(chain.contractId, codes);
    setAccepted(true);
  };
  return (
    <div class="stack">
      <Doubts doubts={doubts} />
      <div class="row end">
        <Button onClick={onDecline}>{words.common.cancel}</Button>
        <Button kind="danger" onClick={accept}>
          {words.trust.accept}
        </Button>
      </div>
    </div>
  );
}

export function Doubts({ doubts }: { doubts: Doubt[] }) {
  const { chain, words } = useSession();
  return (
    <Notice kind="warning">
      {doubts.map((doubt) => (
        <p key={doubt}>{words.trust.doubts[doubt]}</p>
      ))}
      <p>{words.trust.ask}</p>
      <WholeAddress of={chain.contractId} />
    </Notice>
  );
}
