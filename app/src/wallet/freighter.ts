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
import { isPhone } from "./device.js";
import type { Connector, Wallet } from "./wallet.js";

const REJECTED = -4;

interface Failure {
  code: number;
  message: string;
}

function check({ error }: { error?: Failure }): void {
  if (error) throw error.code === REJECTED ? new Problem("rejected") : new Problem("walletFailed", error.message);
}

export const freighter: Connector = {
  kind: "freighter",
  // Browsers on phones have no extensions.
  offered: () => !isPhone,
  async connect(network) {
    if (!(await isConnected()).isConnected) throw new Problem("noWallet");
    const access = await requestAccess();
    check(access);
    if (!access.address) throw new Problem("locked");
    return wallet(network, access.address);
  },
  async reconnect(network) {
    if (!(await isConnected()).isConnected || !(await isAllowed()).isAllowed) return undefined;
    const { address } = await getAddress();
    return address ? wallet(network, address) : undefined;
  },
};

const LOOK_EVERY = 2000;

function wallet(network: Network, address: string): Wallet {
  const options = { address, networkPassphrase: network.passphrase };
  return {
    kind: "freighter",
    address,
    asksElsewhere: {},
    async signTransaction(transaction) {
      const answer = await signTransaction(transaction, options);
      check(answer);
      return answer;
    },
    async signAuthEntry(entry) {
      const { signedAuthEntry, ...rest } = await signAuthEntry(entry, options);
      check(rest);
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
    watch({ onWallet, onElsewhere }) {
      const watcher = new WatchWalletChanges(LOOK_EVERY);
      watcher.watch((shown) => {
        // A locked wallet shows no account: it stays connected, and says so when it is asked to sign.
        if (shown.address && shown.address !== address) freighter.reconnect(network).then((next) => next && onWallet(next), () => undefined);
        onElsewhere(!!shown.networkPassphrase && shown.networkPassphrase !== network.passphrase);
      });
      return () => watcher.stop();
    },
  };
}
