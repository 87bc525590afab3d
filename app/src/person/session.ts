// What every view knows: the contract, its token, the person's wallet and language.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Config } from "../../client/src/index.js";
import type { Chain } from "../chain/chain.js";
import type { Token } from "../chain/token.js";
import type { Call } from "../contract/calls.js";
import type { Describer } from "../contract/describe.js";
import type { Job } from "../signing/story.js";
import type { Receipt } from "../signing/submit.js";
import type { Wallet } from "../wallet/wallet.js";
import type { Problem } from "../words/problem.js";
import type { Names } from "./names.js";

export interface Session extends Describer {
  chain: Chain;
  config: Config;
  token: Token;
  wallet: Wallet | undefined;
  /** The address of the connected wallet, if there is one. */
  me: string | undefined;
  connect: (wallet: Wallet | undefined) => void;
  /** Whether the wallet of the last time is being looked for. */
  connecting: boolean;
  /** Why there is no wallet any more. */
  lost: Problem | undefined;
  /** The ledger's time, in Unix seconds. */
  now: bigint;
  /** It grows whenever a call has gone through, so that views read again. */
  version: number;
  /** The last call of this page that went through, and how many did. */
  done: { call: Call; receipt: Receipt; number: number } | undefined;
  /** Opens the dialog in which the person checks a call and signs it, and which then sends it. */
  act: (job: Job) => void;
  /** Those that the person gave, and on a playground those of its people. */
  names: Names;
  ownNames: Names;
  setNames: (names: Names) => void;
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("outside of a session");
  return session;
}
