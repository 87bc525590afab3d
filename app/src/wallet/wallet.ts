// What the page needs of a wallet (SEP-43), whichever it is.

import type { SignAuthEntry, SignTransaction } from "@stellar/stellar-sdk/contract";

export type WalletKind = "freighter" | "browser" | "play";

export interface Wallet {
  kind: WalletKind;
  address: string;
  signTransaction: SignTransaction;
  signAuthEntry: SignAuthEntry;
  /** Throws the problem that a signature would meet now: it is locked, or shows another account or network. */
  check: () => Promise<void>;
}
