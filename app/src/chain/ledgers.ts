// How ledgers and time belong together.

/** The network aims to close a ledger in so many seconds: what is counted in ledgers lasts about as long as they take. */
export const SECONDS_PER_LEDGER = 5;
