// Why something cannot be done now, in words.

import type { Reason } from "../rules.js";
import type { Session } from "../session.js";

export function reasonText(reason: Reason, { words, format, now }: Session): string {
  return "at" in reason ? words.reasons[reason.kind](format.fromNow(reason.at, now)) : words.reasons[reason.kind]();
}
