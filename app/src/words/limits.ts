// The contract's periods as sentences tell them.

import { ARBITRATION_PERIOD, REVIEW_PERIOD } from "../contract/limits.js";

export const REVIEW_HOURS = REVIEW_PERIOD / 3_600n;
export const ARBITRATION_DAYS = ARBITRATION_PERIOD / 86_400n;
