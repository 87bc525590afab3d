// What the buyer will owe by a call that moves no money itself, but says how much of a delivery is to be paid.

import type { Call } from "../contract/calls.js";
import { Facts } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { useSession } from "../person/session.js";
import { owedBy } from "./owed.js";

export function OwedFacts({ call }: { call: Call }) {
  const { chain, words, format, token } = useSession();
  const { value: owed } = useLoad(() => owedBy(chain, call), call);
  if (!owed) return null;
  return (
    <Facts
      facts={[
        [words.sign.owed, owed.amount > 0n ? words.sign.owedFor(format.kwh(owed.kwh), format.amount(owed.amount, token)) : words.sign.owedNothing],
      ]}
    />
  );
}
