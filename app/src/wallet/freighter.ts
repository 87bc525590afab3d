// The Freighter wallet, through its own API.

import {
  WatchWalletChanges,
  getAddress,
  getNetworkDetails,
  isAllowed,
  isConnected,
  requestAccess,
  signAuthEntry,
  signTransaction,
} from "@stellar/freighter-api";
import type { Network } from "../chain/networks.js";
import { Problem } from "../words/problem.js";
import type { Wallet } from "./wallet.js";

const REJECTED = -4;

interface Failure {
  code: number;
  message: string;
}

function check({ error }: { error?: Failure }): void {
  if (error) throw error.code === REJECTED ? new Problem("rejected") : new Problem("walletFailed", error.message);
}

/** Asks for access, which may open the wallet. */
export async function connectFreighter(network: Network): Promise<Wallet> {
  if (!(await isConnected()).isConnected) throw new Problem("noWallet");
  const access = await requestAccess();
  check(access);
  if (!access.address) throw new Problem("locked");
  return freighter(network, access.address);
}

/** The account that was allowed before, without asking; undefined if the wallet is not there, locked or has withdrawn it. */
export async function reconnectFreighter(network: Network): Promise<Wallet | undefined> {
  if (!(await isConnected()).isConnected || !(await isAllowed()).isAllowed) return undefined;
  const { address } = await getAddress();
  return address ? freighter(network, address) : undefined;
}

/** Tells the account and network that the wallet shows, now and whenever they change. It ends when the function that it returns is called. */
export function watchFreighter(onChange: (address: string, networkPassphrase: string) => void): () => void {
  const watcher = new WatchWalletChanges(2000);
  watcher.watch(({ address, networkPassphrase }) => onChange(address, networkPassphrase));
  return () => watcher.stop();
}

function freighter(network: Network, address: string): Wallet {
  const options = { address, networkPassphrase: network.passphrase };
  return {
    kind: "freighter",
    address,
    signTransaction: (transaction) => signTransaction(transaction, options),
    async signAuthEntry(entry) {
      const { signedAuthEntry, ...rest } = await signAuthEntry(entry, options);
      return { ...rest, signedAuthEntry: signedAuthEntry ?? "" };
    },
    async check() {
      const shown = await getAddress();
      check(shown);
      if (!shown.address) throw new Problem("locked");
      if (shown.address !== address) throw new Problem("otherAccount", shown.address);
      const details = await getNetworkDetails();
      check(details);
      if (details.networkPassphrase !== network.passphrase) throw new Problem("wrongNetwork", details.network);
    },
  };
}
