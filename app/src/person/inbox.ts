// What this person keeps between visits: calls that wait for a second signature, and offers that were accepted without a deposit.

import { recall, remember } from "./memory.js";
import { isShape, isText, isWhole, those } from "./shapes.js";

/** A call that somebody signed first, as a link brought it. */
export interface Waiting {
  contractId: string;
  /** Who is to sign. */
  other: string;
  entry: string;
  method: string;
  signer: string;
  /** Until when the first signature holds, in Unix seconds. */
  until: number;
}

const WAITING = "waiting";
const ACCEPTED = "accepted";

const isWaiting = isShape<Waiting>({ contractId: isText, other: isText, entry: isText, method: isText, signer: isText, until: isWhole });

const allWaiting = () => those(recall(WAITING), isWaiting);

export const waitingFor = (contractId: string, me: string) =>
  allWaiting().filter((one) => one.contractId === contractId && one.other === me);

export function keepWaiting(waiting: Waiting): void {
  remember(WAITING, [waiting, ...allWaiting().filter(({ entry }) => entry !== waiting.entry)]);
}

export function forgetWaiting(entry: string): void {
  remember(
    WAITING,
    allWaiting().filter((one) => one.entry !== entry),
  );
}

const keyOf = (contractId: string, agreement: bigint) => `${contractId} ${agreement}`;

const allAccepted = () => those(recall(ACCEPTED), isText);

/** Offers for which the buyer has said to pay the bill. */
export function acceptedOffers(contractId: string, agreements: bigint[]): Set<bigint> {
  const known = new Set(allAccepted());
  return new Set(agreements.filter((agreement) => known.has(keyOf(contractId, agreement))));
}

export function acceptOffer(contractId: string, agreement: bigint): void {
  remember(ACCEPTED, [...new Set([keyOf(contractId, agreement), ...allAccepted()])]);
}
