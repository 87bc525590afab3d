// What a call has moved, as the token's events tell it.

import { Address, scValToNative, type xdr } from "@stellar/stellar-sdk";

export interface Movement {
  from: string;
  to: string;
  amount: bigint;
}

/** The transfers that a contract's events tell. */
export const transfers = (events: xdr.ContractEvent[], tokenId: string): Movement[] =>
  events.flatMap(({ type, contractId, body }) => {
    const counts = type.name === "contract" && contractId && Address.contract(contractId.value).toString() === tokenId;
    return counts ? (transfer(body.value.topics, body.value.data) ?? []) : [];
  });

function transfer(topics: xdr.ScVal[], value: xdr.ScVal): Movement | undefined {
  const [name, from, to] = topics.map((topic) => scValToNative(topic) as unknown);
  if (name !== "transfer") return undefined;
  // The event of a transfer to a muxed address has its amount in a map.
  const data = scValToNative(value) as bigint | { amount?: unknown } | null;
  const amount = typeof data === "bigint" ? data : data?.amount;
  return typeof amount === "bigint" && typeof from === "string" && typeof to === "string" ? { from, to, amount } : undefined;
}
