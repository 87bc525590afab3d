// What the page needs of a wallet (SEP-43), whichever it is, and of each way to connect one.

import type { SignAuthEntry, SignTransaction } from "@stellar/stellar-sdk/contract";
import type { Network } from "../chain/networks.js";
import { loadPart } from "../parts/loadPart.js";

export type WalletKind = "freighter" | "walletConnect" | "browser" | "play";

export interface Wallet {
  kind: WalletKind;
  address: string;
  /** May take as long as the person does, and fails with a problem that says why. */
  signTransaction: SignTransaction;
  signAuthEntry: SignAuthEntry;
  /** Throws the problem that a signature would meet now: it is locked, or shows another account or network. */
  check: () => Promise<void>;
  /** The person has to look at another window or app to sign; with a link, where a press opens that app. */
  asksElsewhere?: { link?: string; app?: string };
  /** Tells what the person changes in the wallet, until the function that it returns is called. */
  watch?: (watcher: Watcher) => () => void;
  /** Tells the wallet that it is not needed any more. */
  disconnect?: () => void;
}

export interface Watcher {
  /** The wallet shows another account; none if it has ended the connection. */
  onWallet: (wallet: Wallet | undefined) => void;
  /** Whether the wallet is on another network than the contract. */
  onElsewhere: (elsewhere: boolean) => void;
}

/** One way to connect a wallet. */
export interface Connector {
  kind: WalletKind;
  /** Whether it works on this device, for this network. */
  offered: (network: Network) => boolean;
  /** Asks the person for access. */
  connect: (network: Network, pairing: Pairing) => Promise<Wallet>;
  /** The wallet that was connected before, without asking; none if it is not there any more. */
  reconnect: (network: Network) => Promise<Wallet | undefined>;
}

/** For a wallet that runs somewhere else. */
export interface Pairing {
  /** Gets the code that the wallet has to scan or to open. */
  show: (uri: string) => void;
  /** What it is told that this page is called. */
  title: string;
  /** Aborted when the person gives up. */
  signal: AbortSignal;
}

/** Fetches what checks signatures while nobody waits. */
export const fetchChecks = (): void => void signatures().catch(() => undefined);

const signatures = () => loadPart(() => import("./signatures.js"));

/** The same wallet, of whose answers only the signatures are taken, and only if they are this account's for what was asked. */
export const checked = (wallet: Wallet, { passphrase }: Network): Wallet => ({
  ...wallet,
  signTransaction: async (text, options) => (await signatures()).signTransactionBy(wallet, passphrase)(text, options),
  signAuthEntry: async (preimage, options) => (await signatures()).signAuthEntryBy(wallet)(preimage, options),
});
