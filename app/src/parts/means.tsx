// Whether this person's account accepts the community's token, with the way out where the page has one.

import { nameOf } from "../chain/asset.js";
import { acceptances, type Acceptance } from "../chain/holdings.js";
import { useSession } from "../person/session.js";
import { Button, Notice } from "./basics.js";
import { useLoad } from "./load.js";

/** Tells that this person's account does not accept the token, and offers to have it accept it, if it is an asset of the network. */
export function AcceptToken({ acceptance }: { acceptance: Acceptance }) {
  const { token, words, me, act } = useSession();
  const say = words.means;
  const assetName = token.asset && nameOf(token.asset);
  if (acceptance === "ready") return null;
  if (acceptance === "frozen") return <Notice kind="warning">{say.frozen(token.symbol)}</Notice>;
  const accept = (asset: string) => me && act({ kind: "send", call: { method: "change_trust", args: { trustor: me, asset } } });
  return (
    <Notice kind="warning">
      <p>{say.cannotBePaid(token.symbol)}</p>
      {assetName && <Button onClick={() => accept(assetName)}>{say.accept(token.symbol)}</Button>}
    </Notice>
  );
}

/** The same, for views that know nothing of it yet. */
export function OwnAcceptance({ address }: { address: string }) {
  const { chain, token, version } = useSession();
  const loaded = useLoad(() => acceptances(chain, token, [address]), address, version);
  return <AcceptToken acceptance={loaded.value?.[0] ?? "ready"} />;
}
