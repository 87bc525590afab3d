// What was signed, kept until its end is known: for each account on each contract at most one call, which every tab of this browser sees. What somebody without
// a wallet has sent is kept as that of an account without a name.

import type { Chain } from "../chain/chain.js";
import { recall, remember } from "../person/memory.js";
import { isShape, isText, isWhole, isYes, maybe } from "../person/shapes.js";
import type { SignedCall } from "./story.js";
import type { Kept } from "./submit.js";
import { toolsFor } from "./toolbox.js";

/** Where a browser stores nothing, this page still remembers until it is closed. */
const here = new Map<string, Kept>();

const keyOf = ({ network, contractId }: Chain, account: string) => `signed ${network.name} ${contractId} ${account}`;

export function keep(chain: Chain, account: string, { transaction, signedAt, inLink, form }: SignedCall): void {
  const kept: Kept = { transaction, signedAt, inLink, form };
  here.set(keyOf(chain, account), kept);
  remember(keyOf(chain, account), kept);
}

const isKept = isShape<Kept>({ transaction: isText, signedAt: isWhole, inLink: maybe(isYes), form: maybe(isText) });

function recallKept(key: string): Kept | undefined {
  const kept = recall(key);
  return isKept(kept) ? kept : here.get(key);
}

export const hasSigned = (chain: Chain, account: string) => recallKept(keyOf(chain, account)) !== undefined;

export async function recallSigned(chain: Chain, account: string): Promise<SignedCall | undefined> {
  const key = keyOf(chain, account);
  const kept = recallKept(key);
  if (!kept) return undefined;
  const tools = await toolsFor(chain);
  try {
    return tools.readSigned(tools.chain, kept);
  } catch {
    // Nothing can be done about what cannot be read.
    here.delete(key);
    remember(key, undefined);
    return undefined;
  }
}

/** Forgets this call, but no other that was signed after it. */
export function forget(chain: Chain, account: string, { transaction }: SignedCall): void {
  const key = keyOf(chain, account);
  if (recallKept(key)?.transaction !== transaction) return;
  here.delete(key);
  remember(key, undefined);
}

/** Tells what another tab signs, until the function that it returns is called. */
export function watchSigned(chain: Chain, account: string, onSigned: (signed: SignedCall) => void): () => void {
  const look = ({ key, newValue }: StorageEvent) => {
    if (key !== keyOf(chain, account)) return;
    // The other tab has seen its end.
    if (newValue === null) here.delete(key);
    // Where it cannot be read now, it is once more before this tab signs anything.
    recallSigned(chain, account).then(
      (signed) => signed && onSigned(signed),
      () => undefined,
    );
  };
  addEventListener("storage", look);
  return () => removeEventListener("storage", look);
}

/** Takes the right to ask for a signature, which one tab has at a time; undefined if another has it. It is given back by the function that it returns, or when the tab is closed. */
export async function takeTurn(chain: Chain, account: string): Promise<(() => void) | undefined> {
  // Where the browser has no such locks, a second signature uses up the same number of the account, and the network takes one of both.
  if (!("locks" in navigator)) return () => undefined;
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(keyOf(chain, account), { ifAvailable: true }, (lock) => {
        if (!lock) {
          resolve(undefined);
          return;
        }
        return new Promise<void>((giveBack) => resolve(giveBack));
      })
      .catch(reject);
  });
}
