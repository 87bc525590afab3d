// What the buyer will owe by a call that moves no money itself, but says how much of a delivery is to be paid.

import type { Call } from "../contract/calls.js";
import { Facts, LoadedView } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { useSession } from "../person/session.js";
import { owedBy, type Ruling } from "./owed.js";

export function OwedFacts({ call }: { call: Call }) {
  return call.method === "resolve_dispute" ? <Owed ruling={call} /> : null;
}

function Owed({ ruling }: { ruling: Ruling }) {
  const { chain, words, format, token } = useSession();
  const loaded = useLoad(() => owedBy(chain, ruling), ruling);
  return (
    <LoadedView of={loaded} words={words}>
      {({ kwh, amount }) => (
        <Facts facts={[[words.sign.owed, amount > 0n ? words.sign.owedFor(format.kwh(kwh), format.amount(amount, token)) : words.sign.owedNothing]]} />
      )}
    </LoadedView>
  );
}
