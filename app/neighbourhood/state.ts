// What outlives a restart besides the gateway's journal: the play keys, where things are, and what the meters counted.

import { readFileSync, renameSync, writeFileSync } from "node:fs";

export interface Keys {
  secret: string;
  /** Of a household. */
  meterSecret?: string;
}

export interface State {
  passphrase: string;
  contractId: string;
  tokenId: string;
  /** Of the Wasm that was deployed. */
  codeHash: string;
  networkPort: number;
  /** Of the households and the co-op, by name. */
  keys: Record<string, Keys>;
  /** Between these times the history is played fast, in Unix seconds. */
  historyStart: number;
  historyEnd: number;
  /** The end of the last hour that was played. */
  time: number;
  /** What each meter shows. */
  meterWh: Record<string, number>;
  /** Of the history, by seller and buyer: what is not delivered yet, and the reading of the last delivery. */
  pairs: Record<string, { wh: number; reading: number }>;
}

/** The keys of a household or the co-op. */
export function keysOf({ keys }: Pick<State, "keys">, name: string): Keys {
  const found = keys[name];
  if (!found) throw new Error(`there are no keys of ${name}`);
  return found;
}

export function readState(path: string): State | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as State;
  } catch {
    throw new Error(`${path} cannot be read: remove it`);
  }
}

/** A kill leaves the old file or the new one, never half of one. */
export function writeState(path: string, state: State): void {
  writeFileSync(`${path}.new`, JSON.stringify(state, undefined, 2), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
