// How much of a delivery is to be paid, by a call that says so.

import type { Chain } from "../chain/chain.js";
import type { Call } from "../contract/calls.js";
import { placeOf } from "../contract/describe.js";

export type Ruling = Extract<Call, { method: "resolve_dispute" }>;

/** What the buyer owes for the delivery once the call has gone through. */
export async function owedBy(chain: Pick<Chain, "terms">, { args }: Ruling): Promise<{ kwh: bigint; amount: bigint }> {
  const { price_per_kwh } = await chain.terms(placeOf(args.transaction_id).agreement);
  return { kwh: args.energy_accepted_kwh, amount: args.energy_accepted_kwh * price_per_kwh };
}
