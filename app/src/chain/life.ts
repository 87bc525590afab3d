// How long a contract's instance and code live on, as their rent is paid; and how that is prolonged.

import { Contract, Operation, SorobanDataBuilder, xdr, type Transaction } from "@stellar/stellar-sdk";
import { Api, assembleTransaction } from "@stellar/stellar-sdk/rpc";
import { build } from "../signing/direct.js";
import { MOST_FEE, priceOf } from "../signing/price.js";
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

export interface Prolonging {
  restores: boolean;
  fee: bigint;
  /** None if its fee is more than a transaction can name. */
  transaction?: Transaction;
  wasmHash?: Uint8Array;
}

/** Brings back what has expired of instance and code; or has both live as long as the network lets them, if nothing has. */
export async function prolong(chain: Chain, source: string): Promise<Prolonging> {
  const [{ latestLedger, parts, wasmHash }, mostLedgers] = await Promise.all([lifeOf(chain), longestLife(chain)]);
  const expired = parts.filter(({ ends }) => ends < latestLedger).map(({ key }) => key);
  const restores = expired.length > 0;
  const operation = restores ? Operation.restoreFootprint({}) : Operation.extendFootprintTtl({ extendTo: mostLedgers - 1 });
  const asked = new SorobanDataBuilder();
  if (restores) asked.setReadWrite(expired);
  else asked.setReadOnly(parts.map(({ key }) => key));
  const { footprint } = asked.build().resources;

  const built = await build(chain, source, operation, asked.build());
  const simulation = await chain.server.simulateTransaction(built);
  if (!Api.isSimulationSuccess(simulation)) throw new Error(Api.isSimulationError(simulation) ? simulation.error : "not simulated");
  // Only what is meant is paid for, whatever the network names.
  simulation.transactionData.setFootprint([...footprint.readOnly], [...footprint.readWrite]);
  const transaction = assembleTransaction(built, simulation).build();
  const { total } = priceOf(simulation, transaction);
  return { restores, fee: total, transaction: total > MOST_FEE ? undefined : transaction, wasmHash };
}

/** In ledgers, this one included. */
async function longestLife({ server }: Chain): Promise<number> {
  const configSettingId = xdr.ConfigSettingId.configSettingStateArchival;
  const key = xdr.LedgerKey.configSetting(new xdr.LedgerKeyConfigSetting({ configSettingId }));
  const [entry] = (await server.getLedgerEntries(key)).entries;
  if (entry?.val.type !== "configSetting" || entry.val.configSetting.type !== "configSettingStateArchival") throw new Error("no such setting");
  return entry.val.configSetting.stateArchivalSettings.maxEntryTtl;
}
