// The links that this person made for a second signature, as long as they hold. Their times are the ledger's, in Unix seconds.

import { recall, remember } from "../person/memory.js";
import { isDigits, isShape, isText, isWhole, maybe, those } from "../person/shapes.js";
import { SIGNATURE_HOLDS } from "./holds.js";
import type { ShareJob } from "./story.js";

export interface Sent {
  contractId: string;
  method: string;
  other: string;
  link: string;
  signedAt: number;
  /** Of a compromise, which delivery it is about, and how much of it is to be paid. */
  transaction?: string;
  kwh?: string;
}

const KEY = "links";

const isSent = isShape<Sent>({
  contractId: isText,
  method: isText,
  other: isText,
  link: (link) => isText(link) && URL.canParse(link),
  signedAt: isWhole,
  transaction: maybe(isDigits),
  kwh: maybe(isDigits),
});

const all = (now: bigint) => those(recall(KEY), isSent).filter(({ signedAt }) => now < signedAt + SIGNATURE_HOLDS);

export const savedLinks = (contractId: string, now: bigint) => all(now).filter((sent) => sent.contractId === contractId);

export function saveLink(contractId: string, { call, other }: ShareJob, link: string, now: bigint): void {
  const compromise =
    call.method === "resolve_dispute" ? { transaction: String(call.args.transaction_id), kwh: String(call.args.energy_accepted_kwh) } : {};
  remember(KEY, [{ contractId, method: call.method, other, link, signedAt: Number(now), ...compromise } satisfies Sent, ...all(now)]);
}
