// What the SDK cannot read of a simulation as the network answers it.

import type { rpc, SorobanDataBuilder } from "@stellar/stellar-sdk";

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
