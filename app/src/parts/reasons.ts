// Why something cannot be done now, in words.

import type { Reason } from "../contract/rules.js";
import type { Session } from "../person/session.js";

export function reasonText(reason: Reason, { words, format, now }: Session): string {
  return "at" in reason ? words.reasons[reason.kind](format.when(reason.at, now)) : words.reasons[reason.kind]();
}
