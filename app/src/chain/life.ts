// How long a contract's instance and code live on, as their rent is paid.

import { Contract, xdr } from "@stellar/stellar-sdk";
import type { Chain } from "./chain.js";
import { SECONDS_PER_LEDGER } from "./ledgers.js";

interface Part {
  key: xdr.LedgerKey;
  /** The last ledger in which it lives. */
  ends: number;
}

export interface Life {
  latestLedger: number;
  /** The instance, and the code if it is the contract's own. */
  parts: Part[];
  wasmHash?: Uint8Array;
}

export async function lifeOf({ server, contractId }: Chain): Promise<Life> {
  const key = new Contract(contractId).getFootprint();
  const { latestLedger, entries } = await server.getLedgerEntries(key);
  const [instance] = entries;
  const parts = [{ key, ends: instance?.liveUntilLedgerSeq ?? 0 }];
  const wasmHash = instance && hashIn(instance.val);
  if (!wasmHash) return { latestLedger, parts };
  const ofCode = xdr.LedgerKey.contractCode(new xdr.LedgerKeyContractCode({ hash: wasmHash }));
  const [code] = (await server.getLedgerEntries(ofCode)).entries;
  return { latestLedger, parts: [...parts, { key: ofCode, ends: code?.liveUntilLedgerSeq ?? 0 }], wasmHash };
}

function hashIn(entry: xdr.LedgerEntryData): Uint8Array | undefined {
  if (entry.type !== "contractData" || entry.contractData.val.type !== "scvContractInstance") return undefined;
  const { executable } = entry.contractData.val.value;
  return executable.type === "contractExecutableWasm" ? executable.wasmHash.value : undefined;
}

/** For so many seconds both live on. */
export async function secondsToLive(chain: Chain): Promise<number> {
  const { latestLedger, parts } = await lifeOf(chain);
  return Math.max(0, Math.min(...parts.map(({ ends }) => ends)) - latestLedger) * SECONDS_PER_LEDGER;
}

/** How long the network lets an entry live at most, in ledgers, the current one included. */
export async function longestLife({ server }: Chain): Promise<number> {
  const configSettingId = xdr.ConfigSettingId.configSettingStateArchival;
  const key = xdr.LedgerKey.configSetting(new xdr.LedgerKeyConfigSetting({ configSettingId }));
  const [entry] = (await server.getLedgerEntries(key)).entries;
  if (entry?.val.type !== "configSetting" || entry.val.configSetting.type !== "configSettingStateArchival") throw new Error("no such setting");
  return entry.val.configSetting.stateArchivalSettings.maxEntryTtl;
}
