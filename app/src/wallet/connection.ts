// Which wallet is connected. It is remembered, and follows what the person changes in the wallet.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Network } from "../chain/networks.js";
import { recall, remember } from "../person/memory.js";
import { Problem } from "../words/problem.js";
import { browserKey } from "./browserKey.js";
import { freighter } from "./freighter.js";
import { forgetPlayKey, playKey } from "./playKey.js";
import { checked, type Connector, type Wallet } from "./wallet.js";
import { walletConnect } from "./walletConnect.js";

/** All ways to connect a wallet, in the order in which they are offered. */
export const connectors: readonly Connector[] = [freighter, walletConnect, browserKey];

const KEY = "wallet";

/** Why the search for a wallet was ended, where the person did so. Whoever leaves the view, or goes to another network, may want it again. */
const GIVEN_UP = "given up";

async function reconnect(network: Network): Promise<Wallet | undefined> {
  const player = await playKey.reconnect(network);
  if (player) return player;
  const kind = recall(KEY);
  return connectors.find((connector) => connector.kind === kind)?.reconnect(network);
}

export function useWallet(network: Network) {
  const [wallet, setWallet] = useState<Wallet>();
  /** Whether a wallet that is remembered is being looked for. */
  const [connecting, setConnecting] = useState(true);
  const search = useRef<AbortController | undefined>(undefined);
  const [elsewhere, setElsewhere] = useState(false);
  /** Why there is no wallet any more. */
  const [lost, setLost] = useState<Problem>();

  const use = (next: Wallet | undefined) => setWallet(next && checked(next, network));

  useEffect(() => {
    const { signal } = (search.current = new AbortController());
    // A wallet may answer when the person has chosen another, or none.
    const unlessEnded = <T,>(then: (found: T) => void) => (found: T) => {
      if (signal.aborted) return;
      setConnecting(false);
      then(found);
    };
    setConnecting(true);
    reconnect(network).then(
      (found) => {
        if (signal.reason === GIVEN_UP) found?.disconnect?.();
        unlessEnded(use)(found);
      },
      unlessEnded((error: unknown) => setLost(error instanceof Problem ? error : undefined)),
    );
    return () => search.current?.abort();
  }, [network]);

  useEffect(() => {
    setElsewhere(false);
    return wallet?.watch?.({
      onElsewhere: setElsewhere,
      onWallet(next) {
        use(next);
        if (next) return;
        remember(KEY, undefined);
        setLost(new Problem("walletGone"));
      },
    });
  }, [network, wallet]);

  return {
    wallet,
    connecting,
    elsewhere,
    lost,
    connect: (next: Wallet | undefined) => {
      search.current?.abort(GIVEN_UP);
      setConnecting(false);
      forgetPlayKey(network);
      remember(KEY, next?.kind);
      if (!next) wallet?.disconnect?.();
      setLost(undefined);
      use(next);
    },
  };
}
