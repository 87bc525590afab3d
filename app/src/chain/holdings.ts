// What accounts have of a token, what of it they can spend, and what they can receive.

import type { xdr } from "@stellar/stellar-sdk";
import type { Chain } from "./chain.js";
import { holdingKey } from "./keys.js";
import type { Token } from "./token.js";

/** `none`: the account does not accept the asset, or is not there. `frozen`: it does, but the issuer has not authorised it, or no longer. */
export type Acceptance = "ready" | "none" | "frozen";

/** What an account has of an asset, as its entry in the ledger tells. */
export interface Holding {
  acceptance: Acceptance;
  balance: bigint;
  /** What of the balance no payment can take. */
  locked: bigint;
  /** So much more it can receive. */
  room: bigint;
}

const AUTHORIZED = 1;

/**
 * What the network keeps on an account for each of its entries, in stroops: 0.5 XLM, on which its validators vote
 * (https://developers.stellar.org/docs/learn/fundamentals/lumens#base-reserves).
 */
export const BASE_RESERVE = 5_000_000n;
/** An account itself counts as so many entries. */
const OWN_ENTRIES = 2;

const MOST = 2n ** 63n - 1n;

/** What each of these addresses has of the token. None for whoever has no such entry: a contract holds whatever it is sent, and an issuer its own asset. */
export async function holdings({ rpc }: Chain, { asset }: Pick<Token, "asset">, addresses: string[]): Promise<(Holding | undefined)[]> {
  const keys = addresses.map((address) => asset && holdingKey(asset, address));
  const asked = keys.filter((key) => key !== undefined);
  if (asked.length === 0) return addresses.map(() => undefined);
  const { find } = await rpc.entries(asked);
  return keys.map((key) => key && holdingIn(find(key)?.val));
}

/** What each of these addresses can do with the token. */
export const acceptances = async (chain: Chain, token: Pick<Token, "asset">, addresses: string[]): Promise<Acceptance[]> =>
  (await holdings(chain, token, addresses)).map((holding) => holding?.acceptance ?? "ready");

/** As the asset's own contract counts it; nothing where there is no such account, or where it does not accept the asset. */
export function holdingIn(entry: xdr.LedgerEntryData | undefined): Holding {
  if (entry?.type === "trustline") {
    const { flags, balance, limit, ext } = entry.trustLine;
    const { selling, buying } = liabilitiesIn(ext);
    return { acceptance: flags & AUTHORIZED ? "ready" : "frozen", balance, locked: selling, room: limit - balance - buying };
  }
  return entry?.type === "account" ? xlmOf(entry.account) : { acceptance: "none", balance: 0n, locked: 0n, room: 0n };
}

export function xlmOf(account: xdr.AccountEntry): Holding {
  const { balance, ext } = account;
  const { selling, buying } = liabilitiesIn(ext);
  return { acceptance: "ready", balance, locked: reserveOf(account) + selling, room: MOST - balance - buying };
}

/** An account pays for its own entries but those that somebody else sponsors, and for those of others that it sponsors. */
function reserveOf({ numSubEntries, ext }: xdr.AccountEntry): bigint {
  const sponsors = ext.type === "v1" && ext.v1.ext.type === "v2" ? ext.v1.ext.v2 : { numSponsoring: 0, numSponsored: 0 };
  return BigInt(OWN_ENTRIES + numSubEntries + sponsors.numSponsoring - sponsors.numSponsored) * BASE_RESERVE;
}

/** What open offers on the network's exchange would take and bring. */
const liabilitiesIn = (ext: xdr.AccountEntryExt | xdr.TrustLineEntryExt) => (ext.type === "v1" ? ext.v1.liabilities : { selling: 0n, buying: 0n });

/** What a payment can take. An account holds less than what is locked where a vote has raised the reserve. */
export const spendable = ({ balance, locked }: Pick<Holding, "balance" | "locked">): bigint => (balance > locked ? balance - locked : 0n);

export const balanceIn = (entry: xdr.LedgerEntryData | undefined): bigint => holdingIn(entry).balance;
