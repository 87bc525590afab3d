// Which code a contract and its token run, as the network tells it.

import { Asset, Contract, scValToNative, xdr } from "@stellar/stellar-sdk";
import type { Chain } from "./chain.js";

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

const known = new WeakMap<Chain, Promise<Codes>>();

/** The code of the contract and of its token, read once. */
export function codesOf(chain: Chain, tokenId: string): Promise<Codes> {
  const codes = known.get(chain) ?? readCodes(chain, tokenId);
  known.set(chain, codes);
  codes.catch(() => known.delete(chain));
  return codes;
}

async function readCodes({ server, contractId, network: { passphrase } }: Chain, tokenId: string): Promise<Codes> {
  const { entries } = await server.getLedgerEntries(...[contractId, tokenId].map((id) => new Contract(id).getFootprint()));
  const codeOf = (id: string): Code => {
    const key = new Contract(id).getFootprint().toXdr("base64");
    const entry = entries.find((entry) => entry.key.toXdr("base64") === key);
    return entry ? readCode(entry.val, id, passphrase) : { kind: "none" };
  };
  return { contract: codeOf(contractId), token: codeOf(tokenId) };
}

export function readCode(entry: xdr.LedgerEntryData, id: string, passphrase: string): Code {
  if (entry.type !== "contractData" || entry.contractData.val.type !== "scvContractInstance") return { kind: "none" };
  const { executable, storage } = entry.contractData.val.value;
  if (executable.type === "contractExecutableWasm") return { kind: "wasm", hash: hex(executable.wasmHash.value) };
  if (executable.type !== "contractExecutableStellarAsset") return { kind: "other" };
  const metadata = storage?.find(({ key }) => key.type === "scvSymbol" && key.value === "METADATA");
  const asset = metadata && assetOf((scValToNative(metadata.val) as { name?: unknown }).name);
  return asset?.contractId(passphrase) === id ? { kind: "asset", asset } : { kind: "other" };
}

function assetOf(name: unknown): Asset | undefined {
  const [code = "", issuer] = String(name).split(":");
  try {
    return code === "native" ? Asset.native() : new Asset(code, issuer);
  } catch {
    return undefined;
  }
}

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
