// What this page does not know of a contract: nothing is signed for it before the person has said once that it shall be.

import type { Codes } from "../chain/code.js";
import { acceptedWasm, doubtsOf } from "../contract/accepted.js";
import { Notice, WholeAddress } from "../parts/basics.js";
import { useSession } from "../person/session.js";

export function Doubts({ codes }: { codes: Codes }) {
  const { chain, words } = useSession();
  const doubts = doubtsOf(codes, acceptedWasm());
  if (doubts.length === 0) return null;
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
