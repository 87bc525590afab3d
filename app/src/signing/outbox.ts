// The links that this person made for a second signature, as long as they hold.

import { recall, remember } from "../person/memory.js";
import { SIGNATURE_HOLDS } from "./holds.js";
import type { ShareJob } from "./story.js";

export interface Sent {
  contractId: string;
  method: string;
  other: string;
  link: string;
  madeAt: number;
}

const KEY = "links";

const all = () => (recall<Sent[]>(KEY) ?? []).filter(({ madeAt }) => Date.now() < madeAt + SIGNATURE_HOLDS * 1000);

export const savedLinks = (contractId: string) => all().filter((sent) => sent.contractId === contractId);

export function saveLink(contractId: string, { call, other }: ShareJob, link: string): void {
  remember(KEY, [{ contractId, method: call.method, other, link, madeAt: Date.now() }, ...all()]);
}
