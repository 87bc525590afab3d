// What a simulated call costs at most, and when that is too much to be signed by a press among others.

import type { rpc, SorobanDataBuilder } from "@stellar/stellar-sdk";

/** The fee above which this page has nothing signed, in stroops: 5 XLM. Calls cost below 1; what costs more brings back what has expired. */
export const FEE_LIMIT = 50_000_000n;

/** The most stroops that a transaction can name as its fee: it is a number of 32 bits. */
export const MOST_FEE = 2n ** 32n - 1n;

/** Room for the fee that is bid besides, when a simulated one is capped. */
const ROOM = 10_000_000n;

/** A server whose simulations can always be read: the SDK makes a transaction of each, and refuses a fee of more than 32 bits even where nothing is sent. */
export function readable(server: rpc.Server): rpc.Server {
  const simulate = server.simulateTransaction.bind(server);
  server.simulateTransaction = async (...args) => {
    const simulation = await simulate(...args);
    if ("transactionData" in simulation) cap(simulation.transactionData);
    return simulation;
  };
  return server;
}

function cap(data: SorobanDataBuilder): void {
  if (data.build().resourceFee > MOST_FEE - ROOM) data.setResourceFee(String(MOST_FEE - ROOM));
}

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
