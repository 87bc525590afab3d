// Why a payment in the community's token would fail: said before the button.

import type { Chain } from "../chain/chain.js";
import { BASE_RESERVE, holdings, spendable, type Holding } from "../chain/holdings.js";
import { isXlm, type Token } from "../chain/token.js";
import type { AgreementActionName, DeliveryActionName } from "../contract/rules.js";
import { useSession } from "../person/session.js";
import { XLM } from "../words/format.js";

/** What a person and an agreement's seller can do with the token. */
export interface Means {
  me: Holding;
  seller: Holding;
}

/** What has no limit in the ledger: a contract's balance, an issuer's, and those that the token's contract counts itself. No amount has more than 128 bits. */
const UNLIMITED: Holding = { acceptance: "ready", balance: 0n, locked: 0n, room: 2n ** 127n - 1n };

export async function readMeans(chain: Chain, token: Token, me: string, seller: string): Promise<Means> {
  const [mine, its] = await holdings(chain, token, [me, seller]);
  return { me: mine ?? { ...UNLIMITED, balance: await token.balance(me) }, seller: its ?? UNLIMITED };
}

const deposits: readonly string[] = ["fundMetered", "fundReviewed"];
const settles: readonly string[] = ["pay", "payOne", "draw"];

/** Why the payment of an amount would fail now. `fromDeposit`: the money is the contract's already. */
export function usePaymentReason(means: Means | undefined) {
  const { chain, words, format, token } = useSession();
  const say = words.means;
  const shown = (amount: bigint) => format.amount(amount, token);
  const toSeller = (name: string, amount: bigint, { acceptance, room }: Holding) => {
    const own = name === "draw";
    if (acceptance !== "ready") return (own ? say.notAccepted : say.seller)(token.symbol);
    return room < amount ? (own ? say.ownLimit : say.sellerLimit)(shown(room), shown(amount)) : undefined;
  };
  const fromMe = (amount: bigint, { acceptance, balance, locked }: Holding) => {
    if (acceptance !== "ready") return (acceptance === "none" ? say.notAccepted : say.frozen)(token.symbol);
    const free = spendable({ balance, locked });
    if (free >= amount) return undefined;
    const [has, rest, can, needs] = [shown(balance), shown(balance - free), shown(free), shown(amount)];
    if (locked === 0n) return say.tooLittle(has, needs);
    return isXlm(chain, token) ? say.reserved(has, rest, format.amount(BASE_RESERVE, XLM), can, needs) : say.offered(has, rest, can, needs);
  };
  return (name: AgreementActionName | DeliveryActionName, amount: bigint, fromDeposit: boolean): string | undefined => {
    if (!means || !(deposits.includes(name) || settles.includes(name))) return undefined;
    return (settles.includes(name) ? toSeller(name, amount, means.seller) : undefined) ?? (fromDeposit ? undefined : fromMe(amount, means.me));
  };
}
