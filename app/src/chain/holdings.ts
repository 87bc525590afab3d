// What accounts have of a token, and whether they can receive it.

import type { xdr } from "@stellar/stellar-sdk";
import type { Chain } from "./chain.js";
import { holdingKey } from "./keys.js";
import type { Token } from "./token.js";

/** `none`: the account does not accept the asset, or is not there. `frozen`: it does, but the issuer has not authorised it, or no longer. */
export type Acceptance = "ready" | "none" | "frozen";

const AUTHORIZED = 1;

/** What each of these addresses can do with the token. A contract holds whatever it is sent, and an issuer has no need to accept its own. */
export async function acceptances({ rpc }: Chain, { asset }: Pick<Token, "asset">, addresses: string[]): Promise<Acceptance[]> {
  const keys = addresses.map((address) => asset && holdingKey(asset, address));
  const asked = keys.filter((key) => key !== undefined);
  if (asked.length === 0) return addresses.map(() => "ready");
  const { find } = await rpc.entries(asked);
  return keys.map((key) => (key ? acceptanceIn(find(key)?.val) : "ready"));
}

const acceptanceIn = (entry: xdr.LedgerEntryData | undefined): Acceptance => {
  if (entry?.type === "trustline") return entry.trustLine.flags & AUTHORIZED ? "ready" : "frozen";
  return entry ? "ready" : "none";
};

/** As the asset's own contract answers it; none where there is no such account, or where it does not accept the asset. */
export function balanceIn(entry: xdr.LedgerEntryData | undefined): bigint {
  if (entry?.type === "trustline") return entry.trustLine.balance;
  return entry?.type === "account" ? entry.account.balance : 0n;
}
