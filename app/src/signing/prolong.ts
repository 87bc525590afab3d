// How a contract's time on the network is prolonged, and what that costs.

import { Operation, SorobanDataBuilder, type Transaction } from "@stellar/stellar-sdk";
import { Api, assembleTransaction } from "@stellar/stellar-sdk/rpc";
import type { Chain } from "../chain/chain.js";
import { lifeOf, longestLife } from "../chain/life.js";
import { MOST_FEE } from "../chain/simulation.js";
import { build } from "./direct.js";
import { priceOf } from "./price.js";

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
