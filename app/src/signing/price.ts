// What a simulated call costs at most, and when that is too much to be signed by a press among others.

import { BASE_FEE, type rpc } from "@stellar/stellar-sdk";

/** The fee above which this page has nothing signed, in stroops: 5 XLM. Calls cost below 1; what costs more brings back what has expired. */
export const FEE_LIMIT = 50_000_000n;

export interface Price {
  total: bigint;
  /** Whether the call brings back records, or the contract itself, that have expired. */
  restores: boolean;
}

type Simulation = Pick<rpc.Api.SimulateTransactionSuccessResponse, "minResourceFee" | "transactionData">;

/** The most that can be charged, whether a transaction can name it or not. */
export function priceOf({ minResourceFee, transactionData }: Simulation, built: { fee: string }): Price {
  const [simulated, named] = [BigInt(minResourceFee), BigInt(built.fee)];
  const { ext } = transactionData.build();
  return {
    total: simulated > named ? simulated : named,
    restores: ext.type === "resourceExt" && ext.resourceExt.archivedSorobanEntries.length > 0,
  };
}

/** What is bid for an operation. The network's figures are all zero where there was none in the last ledgers. */
export const bid = ({ p80 }: { p80: string }): string => String(Math.max(Number(p80), Number(BASE_FEE)));
