// How long a contract's instance and code live on, as their rent is paid.

import { Contract, xdr } from "@stellar/stellar-sdk";
import type { Chain } from "./chain.js";
import { SECONDS_PER_LEDGER } from "./ledgers.js";

/** For so many seconds both live on. */
export async function secondsToLive({ server, contractId }: Chain): Promise<number> {
  const { latestLedger, entries } = await server.getLedgerEntries(new Contract(contractId).getFootprint());
  const [instance] = entries;
  if (!instance) return 0;
  const ends = [instance.liveUntilLedgerSeq, await codeEnd(server, instance.val)].filter((end) => end !== undefined);
  return Math.max(0, Math.min(...ends) - latestLedger) * SECONDS_PER_LEDGER;
}

async function codeEnd(server: Chain["server"], entry: xdr.LedgerEntryData): Promise<number | undefined> {
  if (entry.type !== "contractData" || entry.contractData.val.type !== "scvContractInstance") return undefined;
  const { executable } = entry.contractData.val.value;
  if (executable.type !== "contractExecutableWasm") return undefined;
  const key = xdr.LedgerKey.contractCode(new xdr.LedgerKeyContractCode({ hash: executable.wasmHash }));
  const { entries } = await server.getLedgerEntries(key);
  return entries[0]?.liveUntilLedgerSeq;
}
