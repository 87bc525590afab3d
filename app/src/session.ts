// What every view knows: the contract, its token, the person's wallet and language.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Config } from "../client/src/index.js";
import type { Chain } from "./chain/chain.js";
import type { Token } from "./chain/token.js";
import type { Describer } from "./describe.js";
import type { Job } from "./signing.js";
import type { Wallet } from "./wallet/wallet.js";

export interface Session extends Describer {
  chain: Chain;
  config: Config;
  token: Token;
  wallet: Wallet | undefined;
  /** The wallet's address. */
  me: string | undefined;
  connect(wallet: Wallet | undefined): void;
  /** The ledger's time, in Unix seconds. */
  now: bigint;
  /** Grows when something was done, so that views read again. */
  version: number;
  /** Has a call checked, signed and sent. */
  act(job: Job): void;
  names: Record<string, string>;
  setName(address: string, name: string): void;
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("outside of a session");
  return session;
}
