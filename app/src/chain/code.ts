// Which code a contract and its token run, as the network tells it.

import type { xdr } from "@stellar/stellar-sdk";
import { contractIdOf, readAsset, type Asset } from "./asset.js";
import type { Chain } from "./chain.js";
import { instanceKey } from "./keys.js";
import { toNative } from "./native.js";
import type { Rpc } from "./rpc.js";

export type Code =
  | { kind: "wasm"; hash: string }
  /** The network's own code for assets, at the address that this asset alone can have. */
  | { kind: "asset"; asset: Asset }
  /** It runs what another entry of the ledger names, which can change; or the network tells what cannot be. */
  | { kind: "other" }
  | { kind: "none" };

export interface Codes {
  contract: Code;
  token: Code;
}

/** By what reads it, which a chain shares with those that are made of it. */
const known = new WeakMap<Rpc, Promise<Codes>>();

/** The code of the contract and of its token, read once. */
export function codesOf(chain: Chain, tokenId: string): Promise<Codes> {
  const codes = known.get(chain.rpc) ?? readCodes(chain, tokenId);
  known.set(chain.rpc, codes);
  codes.catch(() => known.delete(chain.rpc));
  return codes;
}

async function readCodes({ rpc, contractId, network: { passphrase } }: Chain, tokenId: string): Promise<Codes> {
  const { find } = await rpc.entries([contractId, tokenId].map(instanceKey));
  const codeOf = (id: string): Code => {
    const entry = find(instanceKey(id));
    return entry ? readCode(entry.val, id, passphrase) : { kind: "none" };
  };
  return { contract: codeOf(contractId), token: codeOf(tokenId) };
}

export function readCode(entry: xdr.LedgerEntryData, id: string, passphrase: string): Code {
  const instance = instanceIn(entry);
  if (!instance) return { kind: "none" };
  const { executable } = instance;
  if (executable.type === "contractExecutableWasm") return { kind: "wasm", hash: hex(executable.wasmHash.value) };
  if (executable.type !== "contractExecutableStellarAsset") return { kind: "other" };
  const asset = readAsset(String(metadataIn(entry)?.name));
  return asset && contractIdOf(asset, passphrase) === id ? { kind: "asset", asset } : { kind: "other" };
}

export function instanceIn(entry: xdr.LedgerEntryData): xdr.ScContractInstance | undefined {
  return entry.type === "contractData" && entry.contractData.val.type === "scvContractInstance" ? entry.contractData.val.value : undefined;
}

/** What an asset's contract says of itself, as an RPC tells it. */
function metadataIn(entry: xdr.LedgerEntryData): { name?: unknown } | undefined {
  const metadata = instanceIn(entry)?.storage?.find(({ key }) => key.type === "scvSymbol" && key.value === "METADATA");
  return metadata && (toNative(metadata.val) as { name?: unknown });
}

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
