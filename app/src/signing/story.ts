// What becomes of a call, from the press of a button to its end: one machine for one account on one contract. `next` is pure, and says what is to be done as data;
// `signing.ts` does it, and the dialog and the banner show where it is.
//
// Everything that is signed or sent goes this way: calls of the contract and of the network, signatures for other people, and those of accounts with several signers.
//
// Two interfaces are all that others have to keep:
// - of a review (the checks of a simulation) it asks `mayBeSigned` and nothing else; where that is false, or while a doubt about the contract's code or token is
//   open, no event leads to the wallet. The dialog shows the rest;
// - of a wallet it asks, by way of `submit.ts`, `check` and `signTransaction` or `signAuthEntry`. A wallet may answer late or never: what it answers after the person
//   has stopped waiting is thrown away, so a wallet must sign only, and never send by itself.
//
// What was signed is kept before it is sent, and until its end is known: whatever happens to the page, it is asked for by its hash after that. It is sent a second
// time only when the person says so. While its end is open nothing else is signed.

import type { xdr } from "@stellar/stellar-sdk";
import type { Codes } from "../chain/code.js";
import type { Call } from "../contract/calls.js";
import type { ContractProblem, Problem } from "../words/problem.js";
import type { SharedCall } from "./share.js";
import type { Prepared, Receipt } from "./submit.js";

export type Job = SendJob | ShareJob | ApproveJob | SubmitJob;
/** A call to sign and send, perhaps with the first person's signature. `form` is emptied when the call has gone through. */
export type SendJob = { kind: "send"; call: Call; signed?: xdr.SorobanAuthorizationEntry; form?: string };
/** A call to sign first, for another person to send. */
export type ShareJob = { kind: "share"; call: SharedCall; other: string; form?: string };
/** A transaction that waits for several signatures, as a link carries it: to add one. */
export type ApproveJob = { kind: "approve"; call: Call; envelope: string };
/** The same, to send it with all that it needs: this asks no wallet. */
export type SubmitJob = { kind: "submit"; call: Call; envelope: string };

/** What is shown of a call before it is signed, and whether it may be. A call that is signed first for another person has none. */
export type Review = Prepared;

/** A call that was signed, and that may have been sent. Its times are the ledger's, in Unix seconds. */
export interface SignedCall {
  hash: string;
  transaction: string;
  /** The account whose call it is. */
  source: string;
  call: Call;
  /** The ledger's time when it was signed: it is in no earlier ledger. */
  signedAt: number;
  /** It is in no ledger that closes later. */
  validUntil: number;
  /** Whether it has another person's signature in it, without which it cannot be made again. */
  shared: boolean;
  /** Whether it is in a link, which tells its end as well. */
  inLink: boolean;
  form?: string;
}

/** How a signed call ended. */
export type End =
  /** It is in the ledger, and did what it should. */
  | { kind: "done"; receipt: Receipt }
  /** It is in the ledger, and did nothing but cost its fee. */
  | { kind: "failed"; receipt: Receipt }
  /** The network did not take it: it cost nothing. */
  | { kind: "refused"; problem: Problem }
  /** A ledger has closed after its last moment, without it: nothing happened. */
  | { kind: "lapsed" }
  /** The network has forgotten that time, but the contract's records show what the call does. */
  | { kind: "recorded" }
  /** The network has forgotten that time, and the records do not tell either. */
  | { kind: "forgotten" };

/** Why a call was simulated once more without being asked. */
export type Before = Extract<End, { kind: "failed" | "refused" }>;

export type Stage =
  | { at: "idle" }
  | { at: "simulating"; job: Job; before?: Before }
  /** The contract's code or its token is none that this page knows: the person has to say first that it shall be trusted. */
  | { at: "doubting"; job: Job; review?: Review; before?: Before; codes: Codes }
  | { at: "review"; job: Job; review?: Review; before?: Before }
  /** The wallet is asked. */
  | { at: "asking"; job: Job; review?: Review; before?: Before }
  /** The person has stopped waiting for the wallet. */
  | { at: "stopped"; job: Job }
  | { at: "link"; job: ShareJob; link: string }
  /** Nothing was signed. */
  | { at: "problem"; job: Job; problem: Problem | ContractProblem }
  /** It is kept, and on its way to the network; `first` unless it is sent once more. */
  | { at: "sending"; signed: SignedCall; open: boolean; first?: { job: Job; before?: Before } }
  /** The network has it; `asked` counts how often it was asked for since. */
  | { at: "sent"; signed: SignedCall; open: boolean; asked: number; first?: { job: Job; before?: Before } }
  /** It may be in a ledger, or may still come into one. `lapses` when the person does not want it any more; `unreachable` while the network does not answer. */
  | { at: "unknown"; signed: SignedCall; open: boolean; lapses: boolean; unreachable: boolean }
  /** The network has forgotten: the records are read. */
  | { at: "looking"; signed: SignedCall; open: boolean; unreachable: boolean }
  | { at: "ended"; signed: SignedCall; open: boolean; end: End };

/** `run` grows whenever something else begins, so that answers to what was given up are known as such. */
export type State = Stage & { run: number };

export type Event =
  /** The person presses a button of a view, … */
  | { type: "start"; job: Job }
  /** … of the dialog or of the banner; `leave` is also Escape, the back gesture, or another view. */
  | { type: "trust" }
  | { type: "confirm" }
  | { type: "leave" }
  | { type: "show" }
  | { type: "retry" }
  | { type: "sendAgain" }
  | { type: "letLapse" }
  /** An account was connected or left, and this is what it has signed before. */
  | { type: "opened"; signed?: SignedCall }
  /** Another tab has signed a call of this account. */
  | { type: "elsewhere"; signed: SignedCall }
  /** Answers to what was begun in this run. `doubted` is what this page does not know and the person has not trusted before. */
  | { type: "prepared"; run: number; review?: Review; doubted?: Codes }
  /** The account needs more signatures than this wallet's: the call waits for them in this link. */
  | { type: "needsOthers"; run: number; link: string }
  | { type: "hindered"; run: number; problem: Problem | ContractProblem }
  | { type: "signed"; run: number; signed: SignedCall }
  | { type: "linked"; run: number; link: string }
  /** Answers about a signed call: to sending it, … */
  | { type: "accepted"; hash: string }
  | { type: "refused"; hash: string; problem: Problem }
  | { type: "untaken"; hash: string }
  | { type: "unsent"; hash: string }
  /** … and to asking for it. */
  | { type: "found"; hash: string; end: End }
  | { type: "missing"; hash: string; ledgerTime: number; oldestTime: number }
  | { type: "unreachable"; hash: string };

export type Effect =
  | { do: "simulate"; run: number; job: Job }
  | { do: "askWallet"; run: number; job: Job; review?: Review }
  /** Remembers that the person trusts them. */
  | { do: "trust"; codes: Codes }
  /** Lets other tabs sign. */
  | { do: "stopWallet" }
  /** Looks whether another tab has signed something. */
  | { do: "recall" }
  | { do: "keep"; signed: SignedCall }
  | { do: "forget"; signed: SignedCall }
  | { do: "send"; signed: SignedCall }
  /** Asks for it once, after so many milliseconds. One question is open at a time: the last. */
  | { do: "ask"; signed: SignedCall; after: number }
  /** Asks the account and the contract's records, after so many milliseconds. */
  | { do: "look"; signed: SignedCall; after: number }
  | { do: "saveLink"; job: ShareJob; link: string }
  /** Opens the view in which signatures are collected, in place of the one before if that was it too. */
  | { do: "openLink"; link: string; replaces: boolean }
  | { do: "emptyForm"; form: string }
  /** Has all views read again. */
  | { do: "refresh" }
  /** Tells all views which call has gone through. */
  | { do: "tellDone"; signed: SignedCall; receipt: Receipt };

export interface Step {
  state: State;
  effects: Effect[];
}

/** Between two questions for a call. */
export const PAUSE = 1000;
/** Between two questions while it is not known whether the network has the call at all, or while it does not answer. */
export const LONG_PAUSE = 3000;
/** A call that the network has taken is in a ledger after some seconds. After so many questions it may have been dropped, and can be sent once more. */
export const PATIENCE = 20;

export const idle: State = { at: "idle", run: 0 };

export function next(state: State, event: Event): Step {
  switch (event.type) {
    case "start":
      return start(state, event.job);
    case "trust":
      return trust(state);
    case "confirm":
      return confirm(state);
    case "leave":
      return leave(state);
    case "show":
      return "open" in state ? move({ ...state, open: true }) : stay(state);
    case "retry":
      return retry(state);
    case "sendAgain": {
      if (state.at !== "unknown") return stay(state);
      const { run, signed, open } = state;
      return move({ at: "sending", run, signed, open }, { do: "send", signed });
    }
    case "letLapse":
      return letLapse(state);
    case "opened":
      return opened(state, event.signed);
    case "elsewhere":
      return elsewhere(state, event.signed);
    case "prepared":
    case "needsOthers":
    case "hindered":
    case "signed":
    case "linked":
      return event.run === state.run ? answered(state, event) : stay(state);
    case "accepted":
    case "refused":
    case "untaken":
    case "unsent":
      return state.at === "sending" && event.hash === state.signed.hash ? sent(state, event) : stay(state);
    case "found":
    case "missing":
    case "unreachable":
      return isOpenEnded(state) && event.hash === state.signed.hash ? asked(state, event) : stay(state);
  }
}

/** A call is signed, and its end is not known. */
type OpenEnded = Extract<State, { at: "sending" | "sent" | "unknown" | "looking" }>;

const isOpenEnded = (state: State): state is OpenEnded => ["sending", "sent", "unknown", "looking"].includes(state.at);

const stay = (state: State): Step => ({ state, effects: [] });
const move = (state: State, ...effects: Effect[]): Step => ({ state, effects });

function simulate(run: number, job: Job, before?: Before): Step {
  return move({ at: "simulating", run, job, before }, { do: "simulate", run, job });
}

function start(state: State, job: Job): Step {
  if (state.at === "asking") return stay(state);
  // What was signed first has to end first.
  if (isOpenEnded(state)) return move({ ...state, open: true });
  return simulate(state.run + 1, job);
}

function trust(state: State): Step {
  if (state.at !== "doubting") return stay(state);
  const { run, job, review, before, codes } = state;
  return move({ at: "review", run, job, review, before }, { do: "trust", codes });
}

function confirm(state: State): Step {
  if (state.at !== "review" || !mayBeSigned(state)) return stay(state);
  const { run, job, review } = state;
  return move({ ...state, at: "asking" }, { do: "askWallet", run, job, review });
}

/** A signature for another person's transaction has no review: it covers what is built here, and nothing of what the network answers. */
const mayBeSigned = ({ job, review }: Extract<State, { at: "review" }>): boolean => (review ? review.mayBeSigned : job.kind === "share");

function leave(state: State): Step {
  const run = state.run + 1;
  switch (state.at) {
    case "idle":
      return stay(state);
    case "asking":
      return move({ at: "stopped", run, job: state.job }, { do: "stopWallet" });
    case "sending":
    case "sent":
    case "unknown":
    case "looking":
      return move({ ...state, open: false });
    case "simulating":
    case "doubting":
    case "review":
    case "stopped":
    case "link":
    case "problem":
    case "ended":
      // Another tab may have signed something meanwhile.
      return move({ at: "idle", run }, { do: "recall" });
  }
}

function letLapse(state: State): Step {
  if (state.at !== "unknown") return stay(state);
  const { run, signed } = state;
  // Nothing else has to wait for it: whoever has the link can send it, and sees there what came of it.
  if (signed.inLink) return move({ at: "idle", run: run + 1 }, { do: "forget", signed }, { do: "refresh" });
  return move({ ...state, lapses: true, open: false });
}

function retry(state: State): Step {
  if (state.at === "problem" || state.at === "stopped") return simulate(state.run + 1, state.job);
  const job = state.at === "ended" && retried(state.signed, state.end);
  return job ? simulate(state.run + 1, job) : stay(state);
}

/** The same call once more, if it certainly came to nothing. */
function retried({ call, shared, inLink, form }: SignedCall, { kind }: End): Job | undefined {
  return !shared && !inLink && (kind === "failed" || kind === "refused" || kind === "lapsed") ? { kind: "send", call, form } : undefined;
}

function opened(state: State, signed: SignedCall | undefined): Step {
  const run = state.run + 1;
  const effects: Effect[] = state.at === "asking" ? [{ do: "stopWallet" }] : [];
  if (!signed) return move({ at: "idle", run }, ...effects);
  return move({ at: "unknown", run, signed, open: false, lapses: false, unreachable: false }, ...effects, { do: "ask", signed, after: 0 });
}

function elsewhere(state: State, signed: SignedCall): Step {
  const run = state.run + 1;
  const ask: Effect = { do: "ask", signed, after: 0 };
  switch (state.at) {
    case "idle":
    case "stopped":
      return move({ at: "sent", run, signed, open: false, asked: 0 }, ask);
    case "simulating":
    case "doubting":
    case "review":
      return move({ at: "sent", run, signed, open: true, asked: 0 }, ask);
    case "asking":
      return move({ at: "sent", run, signed, open: true, asked: 0 }, { do: "stopWallet" }, ask);
    default:
      return stay(state);
  }
}

function answered(state: State, event: Extract<Event, { run: number }>): Step {
  switch (event.type) {
    case "prepared": {
      if (state.at !== "simulating" || state.job.kind === "submit") return stay(state);
      const { review, doubted: codes } = event;
      // What must not be signed needs nobody's trust.
      if (codes && review?.mayBeSigned !== false) return move({ ...state, at: "doubting", review, codes });
      return move({ ...state, at: "review", review });
    }
    case "needsOthers":
      if (state.at !== "simulating" || state.job.kind !== "send") return stay(state);
      return move({ at: "idle", run: state.run + 1 }, { do: "openLink", link: event.link, replaces: false }, { do: "recall" });
    case "hindered":
      if (state.at !== "simulating" && state.at !== "asking") return stay(state);
      return move({ at: "problem", run: state.run, job: state.job, problem: event.problem }, { do: "refresh" });
    case "signed": {
      // What is in a link was signed before.
      const asked = state.at === "asking" && state.job.kind === "send";
      const brought = state.at === "simulating" && state.job.kind === "submit";
      if (!asked && !brought) return stay(state);
      const { run, job, before } = state;
      const { signed } = event;
      return move({ at: "sending", run, signed, open: true, first: { job, before } }, { do: "keep", signed }, { do: "send", signed });
    }
    case "linked": {
      if (state.at !== "asking") return stay(state);
      const { run, job } = state;
      if (job.kind === "approve") return move({ at: "idle", run: run + 1 }, { do: "openLink", link: event.link, replaces: true }, { do: "recall" });
      if (job.kind !== "share") return stay(state);
      return move({ at: "link", run, job, link: event.link }, { do: "saveLink", job, link: event.link }, ...emptied(job.form));
    }
  }
}

const emptied = (form: string | undefined): Effect[] => (form === undefined ? [] : [{ do: "emptyForm", form }]);

function sent(state: Extract<State, { at: "sending" }>, event: Extract<Event, { type: "accepted" | "refused" | "untaken" | "unsent" }>): Step {
  const { run, signed, open, first } = state;
  const unknown = { at: "unknown", run, signed, open, lapses: false } as const;
  switch (event.type) {
    case "accepted":
      return move({ at: "sent", run, signed, open, asked: 0, first }, { do: "ask", signed, after: PAUSE });
    case "untaken":
      return move({ ...unknown, unreachable: false }, { do: "ask", signed, after: PAUSE });
    case "unsent":
      return move({ ...unknown, unreachable: true }, { do: "ask", signed, after: LONG_PAUSE });
    case "refused":
      // What was sent before may be the reason: it may be in the ledger already.
      if (!first) return move({ ...unknown, unreachable: false }, { do: "ask", signed, after: PAUSE });
      return end(state, { kind: "refused", problem: event.problem });
  }
}

function asked(state: OpenEnded, event: Extract<Event, { type: "found" | "missing" | "unreachable" }>): Step {
  const { run, signed, open } = state;
  switch (event.type) {
    case "found":
      return end(state, event.end);
    case "missing": {
      if (state.at === "looking") return stay(state);
      if (event.ledgerTime > signed.validUntil) {
        if (event.oldestTime <= signed.signedAt) return end(state, { kind: "lapsed" });
        return move({ at: "looking", run, signed, open, unreachable: false }, { do: "look", signed, after: 0 });
      }
      // The answer to sending it goes on from here.
      if (state.at === "sending") return stay(state);
      if (state.at === "sent" && state.asked + 1 < PATIENCE) {
        return move({ ...state, asked: state.asked + 1 }, { do: "ask", signed, after: PAUSE });
      }
      const lapses = state.at === "unknown" && state.lapses;
      return move({ at: "unknown", run, signed, open, lapses, unreachable: false }, { do: "ask", signed, after: LONG_PAUSE });
    }
    case "unreachable": {
      if (state.at === "sending") return stay(state);
      if (state.at === "looking") return move({ ...state, unreachable: true }, { do: "look", signed, after: LONG_PAUSE });
      const lapses = state.at === "unknown" && state.lapses;
      return move({ at: "unknown", run, signed, open, lapses, unreachable: true }, { do: "ask", signed, after: LONG_PAUSE });
    }
  }
}

function end(state: OpenEnded, end: End): Step {
  const { run, signed, open } = state;
  const first = "first" in state ? state.first : undefined;
  const effects: Effect[] = [{ do: "forget", signed }, { do: "refresh" }];
  if (open && first?.job.kind === "send" && !first.before && outdated(end)) {
    // The ledger has changed since the simulation. It simulates again by itself, but only once, and shows what the call does now.
    const again = simulate(run + 1, first.job, end);
    return move(again.state, ...effects, ...again.effects);
  }
  if (end.kind === "done") effects.push({ do: "tellDone", signed, receipt: end.receipt });
  if (end.kind === "done" || end.kind === "recorded") effects.push(...emptied(signed.form));
  return move({ at: "ended", run, signed, open, end }, ...effects);
}

const outdated = (end: End): end is Before => end.kind === "failed" || (end.kind === "refused" && end.problem.kind === "refused");

/** What the person can press: each of these leads on. */
export type Way = Extract<Event["type"], "trust" | "confirm" | "leave" | "show" | "retry" | "sendAgain" | "letLapse">;

/** Where the state is shown, over whatever view: in a dialog that can be left at any time, or in a banner. */
export function shownIn(state: State): "dialog" | "banner" | undefined {
  if (state.at === "idle") return undefined;
  if ("open" in state) return state.open ? "dialog" : "banner";
  return state.at === "stopped" ? "banner" : "dialog";
}

/** The buttons there, the one that leads on last. */
export function ways(state: State): Way[] {
  switch (state.at) {
    case "idle":
      return [];
    case "doubting":
      return ["leave", "trust"];
    case "review":
      return mayBeSigned(state) ? ["leave", "confirm"] : ["leave"];
    case "stopped":
    case "problem":
      return ["leave", "retry"];
    case "unknown": {
      const both: Way[] = state.lapses ? ["sendAgain"] : ["letLapse", "sendAgain"];
      return state.open ? ["leave", ...both] : both;
    }
    case "sending":
    case "sent":
    case "looking":
      return [state.open ? "leave" : "show"];
    case "ended":
      return retried(state.signed, state.end) ? ["leave", "retry"] : ["leave"];
    case "simulating":
    case "asking":
    case "link":
      return ["leave"];
  }
}
