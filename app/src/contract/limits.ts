// The contract's limits, as far as the page looks at them: copies, which a test compares with docs/reference.md. What they mean is said there.

export const REVIEW_PERIOD = 86_400n;
export const ARBITRATION_PERIOD = 2_592_000n;
export const MAX_TERM = 31_622_400n;
export const MAX_READING = 34_359_738_367n;
export const MAX_POWER = 16_777_215n;
export const MAX_TRANSACTIONS = 40n;
export const MAX_PAGE = 25n;
export const AGREEMENTS_PER_PROVIDER = 1_000_000n;
export const TRANSACTION_STEP = 10_000_000_000_000n;
