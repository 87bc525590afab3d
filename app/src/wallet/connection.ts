// Which wallet is connected. It is remembered, and follows what the person changes in the wallet.

import { useEffect, useState } from "preact/hooks";
import type { Network } from "../chain/networks.js";
import { recall, remember } from "../person/memory.js";
import { recallBrowserKey } from "./browserKey.js";
import { connectFreighter, reconnectFreighter, watchFreighter } from "./freighter.js";
import { forgetPlayKey, recallPlayKey } from "./playKey.js";
import type { Wallet, WalletKind } from "./wallet.js";

const KEY = "wallet";

export function useWallet(network: Network) {
  const [wallet, setWallet] = useState<Wallet>();
  /** Whether the wallet is on another network than the contract. */
  const [elsewhere, setElsewhere] = useState(false);

  useEffect(() => {
    const player = recallPlayKey(network);
    if (player) {
      setWallet(player);
      return;
    }
    const kind = recall<WalletKind>(KEY);
    if (kind === "browser") setWallet(recallBrowserKey(network));
    if (kind === "freighter") reconnectFreighter(network).then(setWallet, () => undefined);
  }, [network]);

  useEffect(() => {
    if (wallet?.kind !== "freighter") {
      setElsewhere(false);
      return;
    }
    return watchFreighter((address, passphrase) => {
      // A locked wallet shows no account: it stays connected, and says so when it is asked to sign.
      if (address && address !== wallet.address) void connectFreighter(network).then(setWallet, () => undefined);
      setElsewhere(!!passphrase && passphrase !== network.passphrase);
    });
  }, [network, wallet]);

  return {
    wallet,
    elsewhere,
    connect: (next: Wallet | undefined) => {
      forgetPlayKey(network);
      remember(KEY, next?.kind);
      setWallet(next);
    },
  };
}
