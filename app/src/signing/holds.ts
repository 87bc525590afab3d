/** The first of two signatures holds for so many seconds, a week. */
export const SIGNATURE_HOLDS = 7 * 24 * 60 * 60;
