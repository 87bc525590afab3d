// How much of a delivery is to be paid, by a call that says so.

import type { Chain } from "../chain/chain.js";
import type { Call } from "../contract/calls.js";
import { placeOf } from "../contract/describe.js";

/** What the buyer owes for the delivery once the call has gone through; undefined of a call that settles no dispute. */
export async function owedBy(chain: Pick<Chain, "terms">, { method, args }: Call): Promise<{ kwh: bigint; amount: bigint } | undefined> {
  if (method !== "resolve_dispute") return undefined;
  const { price_per_kwh } = await chain.terms(placeOf(args.transaction_id).agreement);
  return { kwh: args.energy_accepted_kwh, amount: args.energy_accepted_kwh * price_per_kwh };
}
