// The links that this person made for a second signature, as long as they hold.

import { recall, remember } from "../person/memory.js";
import { isShape, isText, isWhole, those } from "../person/shapes.js";
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

const isSent = isShape<Sent>({ contractId: isText, method: isText, other: isText, link: (link) => isText(link) && URL.canParse(link), madeAt: isWhole });

const all = () => those(recall(KEY), isSent).filter(({ madeAt }) => Date.now() < madeAt + SIGNATURE_HOLDS * 1000);

export const savedLinks = (contractId: string) => all().filter((sent) => sent.contractId === contractId);

export function saveLink(contractId: string, { call, other }: ShareJob, link: string): void {
  remember(KEY, [{ contractId, method: call.method, other, link, madeAt: Date.now() }, ...all()]);
}
