// The Freighter wallet, through its own API.

import type { Network } from "../chain/networks.js";
import { loadPart } from "../parts/loadPart.js";
import { Problem } from "../words/problem.js";
import { isPhone } from "./device.js";
import type { Connector, Wallet } from "./wallet.js";

const REJECTED = -4;

type Api = typeof import("@stellar/freighter-api");

const load = () => loadPart<Api>(() => import("@stellar/freighter-api"));

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
    const api = await load();
    if (!(await api.isConnected()).isConnected) throw new Problem("noWallet");
    const access = await api.requestAccess();
    check(access);
    if (!access.address) throw new Problem("locked");
    return wallet(api, network, access.address);
  },
  async reconnect(network) {
    const api = await load();
    if (!(await api.isConnected()).isConnected || !(await api.isAllowed()).isAllowed) return undefined;
    const { address } = await api.getAddress();
    return address ? wallet(api, network, address) : undefined;
  },
};

const LOOK_EVERY = 2000;

function wallet(api: Api, network: Network, address: string): Wallet {
  const options = { address, networkPassphrase: network.passphrase };
  return {
    kind: "freighter",
    address,
    asksElsewhere: {},
    async signTransaction(transaction) {
      const answer = await api.signTransaction(transaction, options);
      check(answer);
      return answer;
    },
    async signAuthEntry(entry) {
      const { signedAuthEntry, ...rest } = await api.signAuthEntry(entry, options);
      check(rest);
      return { ...rest, signedAuthEntry: signedAuthEntry ?? "" };
    },
    async check() {
      const shown = await api.getAddress();
      check(shown);
      if (!shown.address) throw new Problem("locked");
      if (shown.address !== address) throw new Problem("otherAccount", shown.address);
      const details = await api.getNetworkDetails();
      check(details);
      if (details.networkPassphrase !== network.passphrase) throw new Problem("wrongNetwork", details.network);
    },
    watch({ onWallet, onElsewhere }) {
      const watcher = new api.WatchWalletChanges(LOOK_EVERY);
      let stopped = false;
      watcher.watch((shown) => {
        // One answer is still under way when the watcher is stopped.
        if (stopped) return;
        // A locked wallet shows no account: it stays connected, and says so when it is asked to sign.
        if (shown.address && shown.address !== address) freighter.reconnect(network).then((next) => next && !stopped && onWallet(next), () => undefined);
        onElsewhere(!!shown.networkPassphrase && shown.networkPassphrase !== network.passphrase);
      });
      return () => {
        stopped = true;
        watcher.stop();
      };
    },
  };
}
