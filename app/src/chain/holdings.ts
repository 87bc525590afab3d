// Whether an account can hold and receive a token.

import { Keypair, StrKey, xdr, type Asset } from "@stellar/stellar-sdk";
import type { Chain } from "./chain.js";
import { codesOf } from "./code.js";

/** `none`: the account does not accept the asset, or is not there. `frozen`: it does, but the issuer has not authorised it, or no longer. */
export type Acceptance = "ready" | "none" | "frozen";

const AUTHORIZED = 1;

/** What each of these addresses can do with the token. A contract holds whatever it is sent, and an issuer has no need to accept its own. */
export async function acceptances(chain: Chain, tokenId: string, addresses: string[]): Promise<Acceptance[]> {
  const { token } = await codesOf(chain, tokenId);
  if (token.kind !== "asset") return addresses.map(() => "ready");
  const keys = addresses.map((address) => keyOf(token.asset, address));
  const asked = keys.filter((key) => key !== undefined);
  const { entries } = asked.length > 0 ? await chain.server.getLedgerEntries(...asked) : { entries: [] };
  const found = new Map(entries.map(({ key, val }) => [key.toXdr("base64"), val]));
  return keys.map((key) => (key ? acceptanceIn(found.get(key.toXdr("base64"))) : "ready"));
}

function keyOf(asset: Asset, address: string): xdr.LedgerKey | undefined {
  if (!StrKey.isValidEd25519PublicKey(address) || (!asset.isNative() && asset.getIssuer() === address)) return undefined;
  const accountId = Keypair.fromPublicKey(address).xdrAccountId();
  if (asset.isNative()) return xdr.LedgerKey.account(new xdr.LedgerKeyAccount({ accountId }));
  return xdr.LedgerKey.trustline(new xdr.LedgerKeyTrustLine({ accountId, asset: asset.toTrustLineXdrObject() }));
}

const acceptanceIn = (entry: xdr.LedgerEntryData | undefined): Acceptance => {
  if (entry?.type === "trustline") return entry.trustLine.flags & AUTHORIZED ? "ready" : "frozen";
  return entry ? "ready" : "none";
};
