// What a simulated call moves, as the token's events tell it.

import { Address, scValToNative, type xdr } from "@stellar/stellar-sdk";
import { Api } from "@stellar/stellar-sdk/rpc";
import type { Assembled } from "../contract/calls.js";

export interface Movement {
  from: string;
  to: string;
  amount: bigint;
}

/** The transfers of a simulated call, read from the token's own events. */
export const movements = (assembled: Assembled, tokenId: string): Movement[] =>
  eventsOf(assembled, tokenId).flatMap(({ topics, data }) => transfer(topics, data) ?? []);

function eventsOf({ simulation }: Assembled, contract: string): xdr.ContractEventV0[] {
  if (!simulation || !Api.isSimulationSuccess(simulation)) return [];
  return simulation.events.flatMap(({ inSuccessfulContractCall, event: { type, contractId, body } }) => {
    const counts = inSuccessfulContractCall && type.name === "contract" && contractId;
    return counts && Address.contract(contractId.value).toString() === contract ? [body.value] : [];
  });
}

function transfer(topics: xdr.ScVal[], value: xdr.ScVal): Movement | undefined {
  const [name, from, to] = topics.map((topic) => scValToNative(topic) as unknown);
  if (name !== "transfer") return undefined;
  // The event of a transfer to a muxed address has its amount in a map.
  const data = scValToNative(value) as bigint | { amount: bigint };
  return { from: String(from), to: String(to), amount: typeof data === "bigint" ? data : data.amount };
}
