// The token of all payments, any SEP-41 token.

import { Address } from "@stellar/stellar-sdk";
import { isShape, isText, isWhole, maybe } from "../person/shapes.js";
import { XLM } from "../words/format.js";
import { Problem } from "../words/problem.js";
import { contractIdOf, nameOf, readAsset, XLM_ASSET, type Asset } from "./asset.js";
import type { Chain } from "./chain.js";
import { readCode } from "./code.js";
import { balanceIn } from "./holdings.js";
import { accountKey, holdingKey, instanceKey } from "./keys.js";
import { CallFailed } from "./rpc.js";
import { cleanText, unitOf } from "./unit.js";

export interface Token {
  contractId: string;
  symbol: string;
  decimals: number;
  /** The network's own asset, if it is one. */
  asset?: Asset;
  balance: (id: string) => Promise<bigint>;
}

/** The name by which the cache knows what an account has. */
export const balanceOf = (account: string) => `balance of ${account}`;

interface Kind extends Pick<Token, "symbol" | "decimals"> {
  /** None for another token, whose contract is asked for everything. */
  asset: Asset | null;
}

const isAsset = (value: unknown) => isShape<Asset>({ code: isText, issuer: maybe(isText) })(value) && readAsset(nameOf(value) ?? "native") !== undefined;

const isKind = isShape<Kind>({ symbol: isText, decimals: isWhole, asset: (asset) => asset === null || isAsset(asset) });

export async function openToken(chain: Chain, contractId: string): Promise<Token> {
  const { symbol, decimals, asset } = await kindOf(chain, contractId);
  return {
    contractId,
    ...unitOf(chain.network, contractId, symbol, decimals),
    asset: asset ?? undefined,
    balance: (id) =>
      chain.cache.read(
        `token ${balanceOf(id)}`,
        () => readBalance(chain, contractId, asset, id),
        () => ({ about: [balanceOf(id)] }),
      ),
  };
}

/** What an account has of an asset stands in the ledger; whatever else there is, the token's contract answers. */
async function readBalance({ rpc }: Chain, contractId: string, asset: Asset | null, id: string): Promise<bigint> {
  const key = asset && holdingKey(asset, id);
  if (key) return balanceIn((await rpc.entries([key])).find(key)?.val);
  try {
    const balance = await rpc.call<unknown>(contractId, "balance", [Address.fromString(id).toScVal()]);
    if (typeof balance !== "bigint") throw new Problem("badToken", "balance");
    return balance;
  } catch (error) {
    if (error instanceof CallFailed) return 0n;
    throw error;
  }
}

/** A token never changes its symbol and its decimals, nor whether it is an asset, so this browser asks for them once. */
async function kindOf(chain: Chain, contractId: string): Promise<Kind> {
  const key = `kind of token ${contractId} on ${chain.network.passphrase}`;
  const known = chain.memory.recall(key);
  if (isKind(known)) return known.asset ? kindOfAsset(known.asset) : known;
  const kind = await readKind(chain, contractId);
  chain.memory.remember(key, kind);
  return kind;
}

/** An asset's address proves its code, and all have as many decimals as XLM: what an RPC says of them besides is not asked. */
const kindOfAsset = (asset: Asset): Kind => ({ symbol: asset.code, decimals: XLM.decimals, asset });

async function readKind({ rpc, network: { passphrase } }: Chain, contractId: string): Promise<Kind> {
  const key = instanceKey(contractId);
  const entry = (await rpc.entries([key])).find(key)?.val;
  const code = entry && readCode(entry, contractId, passphrase);
  if (code?.kind === "asset") return kindOfAsset(code.asset);
  const [symbol, decimals] = await Promise.all([rpc.call<unknown>(contractId, "symbol"), rpc.call<unknown>(contractId, "decimals")]);
  if (!isText(symbol) || !isWhole(decimals)) throw new Problem("badToken", isText(symbol) ? "decimals" : "symbol");
  return { symbol, decimals, asset: null };
}

/** What an account has for fees, in stroops; 0 if there is no such account. */
export function xlmBalance({ rpc, cache }: Chain, account: string): Promise<bigint> {
  const key = accountKey(account);
  return cache.read(
    `XLM ${balanceOf(account)}`,
    async () => balanceIn((await rpc.entries([key])).find(key)?.val),
    () => ({ about: [balanceOf(account)] }),
  );
}

/** Whether the token is the network's own money, in which fees are paid as well. */
export const isXlm = ({ network }: Chain, { contractId }: Token) => contractId === contractIdOf(XLM_ASSET, network.passphrase);

/** The domain that an issuer's account names as its own; empty if it names none. Nobody has checked it. */
export async function homeDomain({ rpc }: Chain, issuer: string): Promise<string> {
  const key = accountKey(issuer);
  const entry = (await rpc.entries([key])).find(key)?.val;
  return entry?.type === "account" ? cleanText(entry.account.homeDomain.toString(), 64) : "";
}
