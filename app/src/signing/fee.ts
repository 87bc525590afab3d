// How much of a simulated fee is rent: what is left of it without the fees that follow from the resources. The fee for events stays in it, some 0.0001 XLM.

import { xdr } from "@stellar/stellar-sdk";
import type { Chain } from "../chain/chain.js";
import type { Assembled } from "../contract/calls.js";

/** A fee in stroops. */
export interface Fee {
  /** This is the most that can be charged; what is not used comes back at once. */
  total: bigint;
  /** So much of it, at most, pays for keeping records on the ledger. */
  rent: bigint;
}

/** The network's prices, in stroops for 10,000 instructions, an entry or 1,024 bytes. */
interface Rates {
  instructions: bigint;
  readEntry: bigint;
  writeEntry: bigint;
  read: bigint;
  write: bigint;
  history: bigint;
  bandwidth: bigint;
}

/** The network adds so many bytes to a transaction's size, for its result. */
const RESULT_BYTES = 300n;

export async function simulatedFee(chain: Chain, { built, simulationData }: Assembled): Promise<Fee> {
  if (!built) throw new Error("not simulated");
  const rates = await feeRates(chain);
  const { resources, resourceFee } = simulationData.transactionData;
  const { readOnly, readWrite } = resources.footprint;
  // Only these are read from disk: contract entries are in memory.
  const ofAccounts = [...readOnly, ...readWrite].filter(({ type }) => type === "account" || type === "trustline");
  const size = BigInt(built.toEnvelope().toXdr().length);
  const fixed =
    share(BigInt(resources.instructions) * rates.instructions, 10_000n) +
    BigInt(ofAccounts.length) * rates.readEntry +
    BigInt(readWrite.length) * rates.writeEntry +
    share(BigInt(resources.diskReadBytes) * rates.read) +
    share(BigInt(resources.writeBytes) * rates.write) +
    share((size + RESULT_BYTES) * rates.history) +
    share(size * rates.bandwidth);
  return { total: BigInt(built.fee), rent: resourceFee > fixed ? resourceFee - fixed : 0n };
}

/** The price of an amount at a rate per `unit`, rounded up as the network does. */
const share = (amount: bigint, unit = 1024n) => (amount + unit - 1n) / unit;

let known: { chain: Chain; rates: Promise<Rates> } | undefined;

function feeRates(chain: Chain): Promise<Rates> {
  if (known?.chain !== chain) known = { chain, rates: readRates(chain) };
  return known.rates;
}

async function readRates({ server }: Chain): Promise<Rates> {
  const { ConfigSettingId: Id, LedgerKey, LedgerKeyConfigSetting } = xdr;
  const ids = [
    Id.configSettingContractComputeV0,
    Id.configSettingContractLedgerCostV0,
    Id.configSettingContractLedgerCostExtV0,
    Id.configSettingContractHistoricalDataV0,
    Id.configSettingContractBandwidthV0,
  ];
  const keys = ids.map((configSettingId) => LedgerKey.configSetting(new LedgerKeyConfigSetting({ configSettingId })));
  const rates: Rates = { instructions: 0n, readEntry: 0n, writeEntry: 0n, read: 0n, write: 0n, history: 0n, bandwidth: 0n };
  for (const { val } of (await server.getLedgerEntries(...keys)).entries) {
    if (val.type !== "configSetting") continue;
    const setting = val.configSetting;
    if (setting.type === "configSettingContractComputeV0") rates.instructions = setting.value.feeRatePerInstructionsIncrement;
    if (setting.type === "configSettingContractLedgerCostV0") {
      rates.readEntry = setting.value.feeDiskReadLedgerEntry;
      rates.writeEntry = setting.value.feeWriteLedgerEntry;
      rates.read = setting.value.feeDiskRead1Kb;
    }
    if (setting.type === "configSettingContractLedgerCostExtV0") rates.write = setting.value.feeWrite1Kb;
    if (setting.type === "configSettingContractHistoricalDataV0") rates.history = setting.value.feeHistorical1Kb;
    if (setting.type === "configSettingContractBandwidthV0") rates.bandwidth = setting.value.feeTxSize1Kb;
  }
  return rates;
}
