// Why a payment in the community's token would fail: said before the button, with the way out where the page has one.

import { nameOf } from "../chain/asset.js";
import type { Chain } from "../chain/chain.js";
import { acceptances, type Acceptance } from "../chain/holdings.js";
import type { Token } from "../chain/token.js";
import type { AgreementActionName } from "../contract/rules.js";
import { useSession } from "../person/session.js";
import { Button, Notice } from "./basics.js";
import { useLoad } from "./load.js";

export interface Means {
  me: Acceptance;
  seller: Acceptance;
  balance: bigint;
}

/** What a person and an agreement's seller can do with the token. */
export async function readMeans(chain: Chain, token: Token, me: string, seller: string): Promise<Means> {
  const [[mine = "ready", its = "ready"], balance] = await Promise.all([acceptances(chain, token, [me, seller]), token.balance(me)]);
  return { me: mine, seller: its, balance };
}

/** Why the payment of an amount would fail now. `fromDeposit`: the money is the contract's already. */
export function usePaymentReason(means: Means | undefined) {
  const { words, format, token } = useSession();
  const say = words.means;
  return (name: AgreementActionName, amount: bigint, fromDeposit: boolean): string | undefined => {
    if (!means || !["fundMetered", "fundReviewed", "pay", "draw"].includes(name)) return undefined;
    const deposits = name === "fundMetered" || name === "fundReviewed";
    if (!deposits && means.seller !== "ready") return name === "draw" ? say.notAccepted(token.symbol) : say.seller(token.symbol);
    if (fromDeposit) return undefined;
    if (means.me !== "ready") return means.me === "none" ? say.notAccepted(token.symbol) : say.frozen(token.symbol);
    return means.balance < amount ? say.tooLittle(format.amount(means.balance, token), format.amount(amount, token)) : undefined;
  };
}

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
