// How long a contract's instance and code live on, as their rent is paid.

import { xdr } from "@stellar/stellar-sdk";
import { isText } from "../person/shapes.js";
import type { Chain } from "./chain.js";
import { instanceIn } from "./code.js";
import { codeKey, instanceKey } from "./keys.js";
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

/** Instance and code are one request where this browser knows from before which code that is. */
export async function lifeOf({ rpc, contractId, network, memory }: Chain): Promise<Life> {
  const place = `code of ${contractId} on ${network.passphrase}`;
  const known = codeKeyIn(memory.recall(place));
  const key = instanceKey(contractId);
  const { latestLedger, find } = await rpc.entries([key, ...(known ? [known] : [])]);
  const instance = find(key);
  const parts = [{ key, ends: instance?.liveUntilLedger ?? 0 }];
  const wasmHash = instance && hashIn(instance.val);
  if (!wasmHash) return { latestLedger, parts };
  const ofCode = codeKey(wasmHash);
  memory.remember(place, ofCode.toXdr("base64"));
  const code = find(ofCode) ?? (await rpc.entries([ofCode])).find(ofCode);
  return { latestLedger, parts: [...parts, { key: ofCode, ends: code?.liveUntilLedger ?? 0 }], wasmHash };
}

/** What was remembered as the key of a code, if it is any. */
function codeKeyIn(remembered: unknown): xdr.LedgerKey | undefined {
  try {
    return isText(remembered) ? xdr.LedgerKey.fromXdr(remembered, "base64") : undefined;
  } catch {
    return undefined;
  }
}

function hashIn(entry: xdr.LedgerEntryData): Uint8Array | undefined {
  const executable = instanceIn(entry)?.executable;
  return executable?.type === "contractExecutableWasm" ? executable.wasmHash.value : undefined;
}

/** For so many seconds both live on. */
export async function secondsToLive(chain: Chain): Promise<number> {
  const { latestLedger, parts } = await lifeOf(chain);
  return Math.max(0, Math.min(...parts.map(({ ends }) => ends)) - latestLedger) * SECONDS_PER_LEDGER;
}

/** How long the network lets an entry live at most, in ledgers, the current one included. */
export async function longestLife({ rpc }: Chain): Promise<number> {
  const configSettingId = xdr.ConfigSettingId.configSettingStateArchival;
  const key = xdr.LedgerKey.configSetting(new xdr.LedgerKeyConfigSetting({ configSettingId }));
  const setting = (await rpc.entries([key])).find(key)?.val;
  if (setting?.type !== "configSetting" || setting.configSetting.type !== "configSettingStateArchival") throw new Error("no such setting");
  return setting.configSetting.stateArchivalSettings.maxEntryTtl;
}
