// Whatever goes wrong is one of a few kinds, for which there are words.

import type { SharingError } from "../../client/src/index.js";
import { isShape, isText } from "../person/shapes.js";

/** The number of an error of the contract. */
export type ErrorCode = keyof typeof SharingError;

export type ProblemKind =
  | "rejected"
  | "noWallet"
  | "locked"
  | "otherAccount"
  | "wrongNetwork"
  | "walletFailed"
  | "walletGone"
  | "walletSilent"
  | "relayFailed"
  | "badSignature"
  | "noEntries"
  | "manySigners"
  | "offline"
  | "noAccount"
  | "noOtherAccount"
  | "tooLittleXlm"
  | "refused"
  | "otherTab"
  | "busy"
  | "notRpc"
  | "otherNetwork"
  | "archived"
  | "noContract"
  | "otherContract"
  | "badLink"
  | "damagedLink"
  | "usedLink"
  | "linkOperations"
  | "linkSource"
  | "linkConditions"
  | "linkCall"
  | "linkAuth"
  | "linkNumber"
  | "linkFee"
  | "linkOver"
  | "badToken"
  | "notLoaded"
  | "unknown";

export class Problem extends Error {
  constructor(
    readonly kind: ProblemKind,
    readonly detail = "",
  ) {
    super(detail ? `${kind}: ${detail}` : kind);
  }
}

/** A server of the network serves another one, by its passphrase, than the one that it was asked for. */
export class OtherNetwork extends Problem {
  constructor(
    readonly host: string,
    readonly served: string,
    readonly wanted: string,
  ) {
    super("otherNetwork", served);
  }
}

/** The contract refused a call; `code` says why. */
export class ContractProblem extends Error {
  constructor(readonly code: ErrorCode) {
    super(`contract error ${code}`);
  }
}

const lasting: ReadonlySet<ProblemKind> = new Set(["badLink", "damagedLink", "linkOperations", "linkSource", "linkCall"]);

/** Whether another try comes to the same: what a link says does not change. */
export const lasts = (problem: Problem | ContractProblem): boolean => problem instanceof Problem && lasting.has(problem.kind);

/** Which problem an error is that a part of the page knows which is loaded later: that part adds what it knows. */
export const translators: ((thrown: unknown) => Problem | undefined)[] = [];

/** An error that an RPC tells is thrown as it tells it, and is none of the language's. */
export const messageOf = (thrown: unknown) => (isShape<{ message: string }>({ message: isText })(thrown) ? thrown.message : String(thrown));

export function problemOf(thrown: unknown): Problem | ContractProblem {
  if (thrown instanceof Problem || thrown instanceof ContractProblem) return thrown;
  const message = messageOf(thrown);
  for (const translate of translators) {
    const problem = translate(thrown);
    if (problem) return problem;
  }
  if (/account not found/i.test(message)) return new Problem("noAccount");
  if (/rate.?limit|too many requests/i.test(message)) return new Problem("busy");
  if (/failed to fetch|network ?error|load failed|timeout|ECONN/i.test(message)) return new Problem("offline");
  // The network's own words for: a function or an argument that this contract does not know; a signature that was used, or that does not fit what is called.
  if (/HostError: Error\((Value, InvalidInput|WasmVm, MissingValue)/.test(message)) return new Problem("otherContract");
  if (/HostError: Error\(Auth, ExistingValue/.test(message)) return new Problem("usedLink");
  if (/HostError: Error\(Auth, InvalidAction/.test(message)) return new Problem("badLink");
  if (/Storage, MissingValue|contract instance|contract not found/i.test(message)) return new Problem("noContract");
  // What follows the first line of such a message is a log for programmers.
  return new Problem("unknown", message.split("\n")[0]);
}
