// What becomes of a call: every pair of a state and an event, and what holds in whatever order events come.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import {
  idle,
  next,
  PATIENCE,
  shownIn,
  ways,
  type Effect,
  type Event,
  type Job,
  type Review,
  type ShareJob,
  type SignedCall,
  type Stage,
  type State,
  type Step,
} from "../../src/signing/story.js";
import type { Receipt } from "../../src/signing/submit.js";
import { Problem } from "../../src/words/problem.js";

const RUN = 7;
const job: Job = { kind: "send", call: { method: "settle_agreement", args: { agreement_id: 4n, through: 4n, settler: "G" } }, form: "bill" };
const shared: ShareJob = { kind: "share", call: { method: "register_meter", args: { prosumer: "G", meter: null, meter_reading: 0n, max_power_kw: 0n } }, other: "H", form: "meter" };
const approval: Job = { kind: "approve", call: job.call, envelope: "AAAA" };
const submission: Job = { kind: "submit", call: job.call, envelope: "AAAA" };
const review = { mayBeSigned: true } as Review;
const refusedReview = { mayBeSigned: false } as Review;
const signed: SignedCall = { hash: "mine", transaction: "xdr", source: "G", call: job.call, signedAt: 1000, validUntil: 1300, shared: false, inLink: false, form: "bill" };
const withTwo: SignedCall = { ...signed, shared: true };
const brought: SignedCall = { ...signed, inLink: true, form: undefined };
const others: SignedCall = { ...signed, hash: "other" };
const receipt: Receipt = { fee: 5n, at: 1010, movements: [] };
const problem = new Problem("rejected");
const outdated = new Problem("refused");
const poor = new Problem("tooLittleXlm");
const before = { kind: "failed", receipt } as const;
const first = { job };
const codes = { contract: { kind: "wasm", hash: "00" }, token: { kind: "none" } } as const;

const states = {
  idle: { at: "idle" },
  simulating: { at: "simulating", job },
  "simulating again": { at: "simulating", job, before },
  "simulating to sign first": { at: "simulating", job: shared },
  "reading a link to sign": { at: "simulating", job: approval },
  "reading a link to send": { at: "simulating", job: submission },
  doubting: { at: "doubting", job, review, codes },
  "doubting after a failure": { at: "doubting", job, review, before, codes },
  "doubting before signing first": { at: "doubting", job: shared, codes },
  "doubting about a link": { at: "doubting", job: approval, review, codes },
  review: { at: "review", job, review },
  "a review of a link": { at: "review", job: approval, review },
  "a review of a link that must not be signed": { at: "review", job: approval, review: refusedReview },
  "a review without its checks": { at: "review", job: approval },
  "a review that must not be signed": { at: "review", job, review: refusedReview },
  "a review to sign first": { at: "review", job: shared },
  asking: { at: "asking", job, review },
  "asking to sign first": { at: "asking", job: shared },
  "asking to sign a link": { at: "asking", job: approval, review },
  stopped: { at: "stopped", job },
  link: { at: "link", job: shared, link: "#/sign" },
  problem: { at: "problem", job, problem },
  sending: { at: "sending", signed, open: true, first },
  "sending after a failure": { at: "sending", signed, open: true, first: { job, before } },
  "sending in the banner": { at: "sending", signed, open: false, first },
  "sending once more": { at: "sending", signed, open: false },
  "sending a link": { at: "sending", signed: brought, open: true, first: { job: submission } },
  sent: { at: "sent", signed, open: true, asked: 0, first },
  "sent long ago": { at: "sent", signed, open: true, asked: PATIENCE - 1, first },
  "sent in the banner": { at: "sent", signed, open: false, asked: 0, first },
  unknown: { at: "unknown", signed, open: true, lapses: false, unreachable: false },
  "unknown in the banner": { at: "unknown", signed, open: false, lapses: false, unreachable: true },
  lapsing: { at: "unknown", signed, open: false, lapses: true, unreachable: false },
  "unknown of a link": { at: "unknown", signed: brought, open: true, lapses: false, unreachable: false },
  looking: { at: "looking", signed, open: true, unreachable: false },
  "looking in the banner": { at: "looking", signed, open: false, unreachable: false },
  done: { at: "ended", signed, open: true, end: { kind: "done", receipt } },
  lapsed: { at: "ended", signed, open: false, end: { kind: "lapsed" } },
  "a link failed": { at: "ended", signed: brought, open: true, end: { kind: "failed", receipt } },
  "failed with two signatures": { at: "ended", signed: withTwo, open: true, end: { kind: "failed", receipt } },
  forgotten: { at: "ended", signed, open: true, end: { kind: "forgotten" } },
} as const satisfies Record<string, Stage>;

const [run, late, hash] = [RUN, RUN - 1, "mine"];
const events = {
  start: { type: "start", job },
  trust: { type: "trust" },
  confirm: { type: "confirm" },
  leave: { type: "leave" },
  show: { type: "show" },
  retry: { type: "retry" },
  sendAgain: { type: "sendAgain" },
  letLapse: { type: "letLapse" },
  "opened, with nothing": { type: "opened" },
  "opened, with something": { type: "opened", signed },
  elsewhere: { type: "elsewhere", signed: others },
  prepared: { type: "prepared", run, review },
  "prepared late": { type: "prepared", run: late, review },
  "prepared, with doubts": { type: "prepared", run, review, doubted: codes },
  "prepared, with doubts, not to be signed": { type: "prepared", run, review: refusedReview, doubted: codes },
  needsOthers: { type: "needsOthers", run, link: "#/approve" },
  "needsOthers late": { type: "needsOthers", run: late, link: "#/approve" },
  hindered: { type: "hindered", run, problem },
  "hindered late": { type: "hindered", run: late, problem },
  signed: { type: "signed", run, signed },
  "signed late": { type: "signed", run: late, signed },
  linked: { type: "linked", run, link: "#/sign" },
  "linked late": { type: "linked", run: late, link: "#/sign" },
  accepted: { type: "accepted", hash },
  "refused as outdated": { type: "refused", hash, problem: outdated },
  "refused for want of XLM": { type: "refused", hash, problem: poor },
  untaken: { type: "untaken", hash },
  unsent: { type: "unsent", hash },
  "found, done": { type: "found", hash, end: { kind: "done", receipt } },
  "found, failed": { type: "found", hash, end: { kind: "failed", receipt } },
  "found, recorded": { type: "found", hash, end: { kind: "recorded" } },
  "found, forgotten": { type: "found", hash, end: { kind: "forgotten" } },
  "missing, in time": { type: "missing", hash, ledgerTime: 1300, oldestTime: 0 },
  "missing, too late": { type: "missing", hash, ledgerTime: 1301, oldestTime: 1000 },
  "missing, forgotten": { type: "missing", hash, ledgerTime: 1301, oldestTime: 1001 },
  unreachable: { type: "unreachable", hash },
  "accepted, another": { type: "accepted", hash: "old" },
  "refused, another": { type: "refused", hash: "old", problem: outdated },
  "untaken, another": { type: "untaken", hash: "old" },
  "unsent, another": { type: "unsent", hash: "old" },
  "found, another": { type: "found", hash: "old", end: { kind: "done", receipt } },
  "missing, another": { type: "missing", hash: "old", ledgerTime: 1301, oldestTime: 0 },
  "unreachable, another": { type: "unreachable", hash: "old" },
} as const satisfies Record<string, Event>;

type StateName = keyof typeof states;
type EventName = keyof typeof events;
const stateNames = Object.keys(states) as StateName[];
const eventNames = Object.keys(events) as EventName[];

const inRun = (name: StateName): State => ({ ...states[name], run: RUN });

/** A step in a line: the state, what is special about it, and what is to be done. */
function tell({ state, effects }: Step): string {
  const special = [
    state.run !== RUN && "new run",
    "open" in state && (state.open ? "dialog" : "banner"),
    "signed" in state && state.signed.hash === "other" && "of the other tab",
    "before" in state && state.before && `after ${state.before.kind}`,
    "asked" in state && state.asked > 0 && `asked ${state.asked}`,
    "lapses" in state && state.lapses && "lapses",
    "unreachable" in state && state.unreachable && "unreachable",
    "end" in state && state.end.kind,
  ].filter(Boolean);
  const does = effects.map((effect) => ("after" in effect ? `${effect.do} ${effect.after}` : effect.do));
  return [[state.at, ...special].join(", "), ...does].join(" > ");
}

const opening = { "opened, with nothing": "idle, new run", "opened, with something": "unknown, new run, banner > ask 0" };
const openingWhileAsking = { "opened, with nothing": "idle, new run > stopWallet", "opened, with something": "unknown, new run, banner > stopWallet > ask 0" };
const begin = "simulating, new run > simulate";
const away = "idle, new run > recall";
const elsewhereShown = "sent, new run, dialog, of the other tab > ask 0";
const prepares = { prepared: "review", "prepared, with doubts": "doubting", "prepared, with doubts, not to be signed": "review" };
const doubting = { ...opening, start: begin, leave: away, trust: "review > trust", elsewhere: elsewhereShown };
const ends = (place: "dialog" | "banner") => ({
  "found, done": `ended, ${place}, done > forget > refresh > tellDone > emptyForm`,
  "found, failed": `ended, ${place}, failed > forget > refresh`,
  "found, recorded": `ended, ${place}, recorded > forget > refresh > emptyForm`,
  "found, forgotten": `ended, ${place}, forgotten > forget > refresh`,
});
const over = (place: "dialog" | "banner") => ({
  "missing, too late": `ended, ${place}, lapsed > forget > refresh`,
  "missing, forgotten": `looking, ${place} > look 0`,
});
const failsAndTriesAgain = "simulating, new run, after failed > forget > refresh > simulate";
const sendingOn = (place: "dialog" | "banner") => ({
  accepted: `sent, ${place} > ask 1000`,
  untaken: `unknown, ${place} > ask 1000`,
  unsent: `unknown, ${place}, unreachable > ask 3000`,
});

/** What each event leads to. An event that is not listed leaves the state as it is, and nothing is done. */
const expected: Record<StateName, Partial<Record<EventName, string>>> = {
  idle: { ...opening, start: begin, elsewhere: "sent, new run, banner, of the other tab > ask 0" },
  simulating: {
    ...opening,
    start: begin,
    leave: away,
    elsewhere: elsewhereShown,
    ...prepares,
    needsOthers: "idle, new run > openLink > recall",
    hindered: "problem > refresh",
  },
  "simulating to sign first": { ...opening, start: begin, leave: away, elsewhere: elsewhereShown, ...prepares, hindered: "problem > refresh" },
  "reading a link to sign": { ...opening, start: begin, leave: away, elsewhere: elsewhereShown, ...prepares, hindered: "problem > refresh" },
  "reading a link to send": {
    ...opening,
    start: begin,
    leave: away,
    elsewhere: elsewhereShown,
    signed: "sending, dialog > keep > send",
    hindered: "problem > refresh",
  },
  "simulating again": {
    ...opening,
    start: begin,
    leave: away,
    elsewhere: elsewhereShown,
    prepared: "review, after failed",
    "prepared, with doubts": "doubting, after failed",
    "prepared, with doubts, not to be signed": "review, after failed",
    needsOthers: "idle, new run > openLink > recall",
    hindered: "problem > refresh",
  },
  doubting,
  "doubting after a failure": { ...doubting, trust: "review, after failed > trust" },
  "doubting before signing first": doubting,
  "doubting about a link": doubting,
  review: { ...opening, start: begin, leave: away, confirm: "asking > askWallet", elsewhere: elsewhereShown },
  "a review that must not be signed": { ...opening, start: begin, leave: away, elsewhere: elsewhereShown },
  "a review of a link": { ...opening, start: begin, leave: away, confirm: "asking > askWallet", elsewhere: elsewhereShown },
  "a review of a link that must not be signed": { ...opening, start: begin, leave: away, elsewhere: elsewhereShown },
  "a review without its checks": { ...opening, start: begin, leave: away, elsewhere: elsewhereShown },
  "a review to sign first": { ...opening, start: begin, leave: away, confirm: "asking > askWallet", elsewhere: elsewhereShown },
  asking: {
    ...openingWhileAsking,
    leave: "stopped, new run > stopWallet",
    elsewhere: "sent, new run, dialog, of the other tab > stopWallet > ask 0",
    hindered: "problem > refresh",
    signed: "sending, dialog > keep > send",
  },
  "asking to sign first": {
    ...openingWhileAsking,
    leave: "stopped, new run > stopWallet",
    elsewhere: "sent, new run, dialog, of the other tab > stopWallet > ask 0",
    hindered: "problem > refresh",
    linked: "link > saveLink > emptyForm",
  },
  "asking to sign a link": {
    ...openingWhileAsking,
    leave: "stopped, new run > stopWallet",
    elsewhere: "sent, new run, dialog, of the other tab > stopWallet > ask 0",
    hindered: "problem > refresh",
    linked: "idle, new run > openLink > recall",
  },
  stopped: { ...opening, start: begin, retry: begin, leave: away, elsewhere: "sent, new run, banner, of the other tab > ask 0" },
  link: { ...opening, start: begin, leave: away },
  problem: { ...opening, start: begin, retry: begin, leave: away },
  sending: {
    ...opening,
    ...sendingOn("dialog"),
    ...ends("dialog"),
    ...over("dialog"),
    leave: "sending, banner",
    "refused as outdated": "simulating, new run, after refused > forget > refresh > simulate",
    "refused for want of XLM": "ended, dialog, refused > forget > refresh",
    "found, failed": failsAndTriesAgain,
  },
  "sending after a failure": {
    ...opening,
    ...sendingOn("dialog"),
    ...ends("dialog"),
    ...over("dialog"),
    leave: "sending, banner",
    "refused as outdated": "ended, dialog, refused > forget > refresh",
    "refused for want of XLM": "ended, dialog, refused > forget > refresh",
  },
  "sending in the banner": {
    ...opening,
    ...sendingOn("banner"),
    ...ends("banner"),
    ...over("banner"),
    start: "sending, dialog",
    show: "sending, dialog",
    "refused as outdated": "ended, banner, refused > forget > refresh",
    "refused for want of XLM": "ended, banner, refused > forget > refresh",
  },
  "sending once more": {
    ...opening,
    ...sendingOn("banner"),
    ...ends("banner"),
    ...over("banner"),
    start: "sending, dialog",
    show: "sending, dialog",
    "refused as outdated": "unknown, banner > ask 1000",
    "refused for want of XLM": "unknown, banner > ask 1000",
  },
  "sending a link": {
    ...opening,
    ...sendingOn("dialog"),
    ...ends("dialog"),
    ...over("dialog"),
    "found, done": "ended, dialog, done > forget > refresh > tellDone",
    "found, recorded": "ended, dialog, recorded > forget > refresh",
    leave: "sending, banner",
    "refused as outdated": "ended, dialog, refused > forget > refresh",
    "refused for want of XLM": "ended, dialog, refused > forget > refresh",
  },
  sent: {
    ...opening,
    ...ends("dialog"),
    ...over("dialog"),
    leave: "sent, banner",
    "found, failed": failsAndTriesAgain,
    "missing, in time": "sent, dialog, asked 1 > ask 1000",
    unreachable: "unknown, dialog, unreachable > ask 3000",
  },
  "sent long ago": {
    ...opening,
    ...ends("dialog"),
    ...over("dialog"),
    leave: `sent, banner, asked ${PATIENCE - 1}`,
    "found, failed": failsAndTriesAgain,
    "missing, in time": "unknown, dialog > ask 3000",
    unreachable: "unknown, dialog, unreachable > ask 3000",
  },
  "sent in the banner": {
    ...opening,
    ...ends("banner"),
    ...over("banner"),
    start: "sent, dialog",
    show: "sent, dialog",
    "missing, in time": "sent, banner, asked 1 > ask 1000",
    unreachable: "unknown, banner, unreachable > ask 3000",
  },
  unknown: {
    ...opening,
    ...ends("dialog"),
    ...over("dialog"),
    leave: "unknown, banner",
    sendAgain: "sending, dialog > send",
    letLapse: "unknown, banner, lapses",
    "missing, in time": "unknown, dialog > ask 3000",
    unreachable: "unknown, dialog, unreachable > ask 3000",
  },
  "unknown in the banner": {
    ...opening,
    ...ends("banner"),
    ...over("banner"),
    start: "unknown, dialog, unreachable",
    show: "unknown, dialog, unreachable",
    sendAgain: "sending, banner > send",
    letLapse: "unknown, banner, lapses, unreachable",
    "missing, in time": "unknown, banner > ask 3000",
    unreachable: "unknown, banner, unreachable > ask 3000",
  },
  lapsing: {
    ...opening,
    ...ends("banner"),
    ...over("banner"),
    start: "unknown, dialog, lapses",
    show: "unknown, dialog, lapses",
    sendAgain: "sending, banner > send",
    "missing, in time": "unknown, banner, lapses > ask 3000",
    unreachable: "unknown, banner, lapses, unreachable > ask 3000",
  },
  "unknown of a link": {
    ...opening,
    ...ends("dialog"),
    ...over("dialog"),
    "found, done": "ended, dialog, done > forget > refresh > tellDone",
    "found, recorded": "ended, dialog, recorded > forget > refresh",
    leave: "unknown, banner",
    sendAgain: "sending, dialog > send",
    letLapse: "idle, new run > forget > refresh",
    "missing, in time": "unknown, dialog > ask 3000",
    unreachable: "unknown, dialog, unreachable > ask 3000",
  },
  looking: { ...opening, ...ends("dialog"), leave: "looking, banner", unreachable: "looking, dialog, unreachable > look 3000" },
  "looking in the banner": {
    ...opening,
    ...ends("banner"),
    start: "looking, dialog",
    show: "looking, dialog",
    unreachable: "looking, banner, unreachable > look 3000",
  },
  done: { ...opening, start: begin, leave: away },
  lapsed: { ...opening, start: begin, leave: away, show: "ended, dialog, lapsed", retry: begin },
  "failed with two signatures": { ...opening, start: begin, leave: away },
  "a link failed": { ...opening, start: begin, leave: away },
  forgotten: { ...opening, start: begin, leave: away },
};

for (const name of stateNames)
  test(`from “${name}” each of ${eventNames.length} events leads where it should`, () => {
    const from = inRun(name);
    const led = Object.fromEntries(eventNames.map((event) => [event, tell(next(from, events[event]))]));
    const stays = tell({ state: from, effects: [] });
    assert.deepEqual(led, Object.fromEntries(eventNames.map((event) => [event, expected[name][event] ?? stays])));
  });

test("every kind of state and of event is among them", () => {
  const kinds: Record<State["at"], true> = {
    idle: true, simulating: true, doubting: true, review: true, asking: true, stopped: true, link: true, problem: true, sending: true, sent: true, unknown: true, looking: true, ended: true,
  };
  assert.deepEqual(new Set(Object.values(states).map(({ at }) => at)), new Set(Object.keys(kinds)));
  const types: Record<Event["type"], true> = {
    start: true, trust: true, confirm: true, leave: true, show: true, retry: true, sendAgain: true, letLapse: true, opened: true, elsewhere: true, prepared: true, needsOthers: true, hindered: true,
    signed: true, linked: true, accepted: true, refused: true, untaken: true, unsent: true, found: true, missing: true, unreachable: true,
  };
  assert.deepEqual(new Set(Object.values(events).map(({ type }) => type)), new Set(Object.keys(types)));
});

/** An event as if it answered this state. */
function towards(state: State, event: Event): Event {
  if ("run" in event) return { ...event, run: state.run - (event.run === RUN ? 0 : 1) };
  return event;
}

/** Everything that any order of events leads to, with each step on the way. */
function walk(): { reached: State[]; steps: { from: State; event: Event; step: Step }[] } {
  const reached = new Map<string, State>();
  const steps: { from: State; event: Event; step: Step }[] = [];
  const key = (state: State) => JSON.stringify({ ...state, run: 0 }, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  const open = [idle];
  for (let from = open.pop(); from; from = open.pop()) {
    if (reached.has(key(from))) continue;
    reached.set(key(from), from);
    const others: Event[] = [
      ...[shared, approval, submission].map((job) => ({ type: "start", job }) as const),
      { type: "prepared", run, review: refusedReview },
      { type: "signed", run, signed: brought },
      { type: "opened", signed: brought },
    ];
    for (const event of [...eventNames.map((name) => events[name]), ...others]) {
      const answered = towards(from, event);
      const step = next(from, answered);
      steps.push({ from, event: answered, step });
      open.push(step.state);
    }
  }
  return { reached: [...reached.values()], steps };
}

test("from every state there is a way on: each button leads somewhere, each dialog can be left, each press of a view’s button shows something", () => {
  const { reached } = walk();
  assert.ok(reached.length > 100);
  for (const state of reached) {
    const place = shownIn(state);
    assert.equal(place === undefined, state.at === "idle");
    assert.equal(ways(state).length > 0, state.at !== "idle");
    for (const type of ways(state)) assert.notDeepEqual(next(state, { type }).state, state, `${type} in ${tell({ state, effects: [] })}`);
    if (place === "dialog") {
      assert.ok(ways(state).includes("leave"));
      assert.notEqual(shownIn(next(state, { type: "leave" }).state), "dialog");
    }
    assert.equal(shownIn(next(state, { type: "start", job }).state), "dialog");
  }
});

test("never are two calls signed at once, none is sent before it is kept, and none twice unless the person says so", () => {
  const does = (step: Step, what: Effect["do"]) => step.effects.some((effect) => effect.do === what);
  for (const { from, event, step } of walk().steps) {
    const where = `${event.type}: ${tell({ state: from, effects: [] })} to ${tell(step)}`;
    const openBefore = "signed" in from && from.at !== "ended" ? from.signed.hash : undefined;
    const openAfter = "signed" in step.state && step.state.at !== "ended" ? step.state.signed.hash : undefined;
    // A wallet is asked only while nothing is open, and what it signs while it is not waited for is thrown away.
    if (does(step, "askWallet")) assert.equal(openAfter, undefined, where);
    if (does(step, "keep")) {
      assert.equal(event.type, "signed", where);
      assert.ok(from.at === "asking" ? from.job.kind === "send" : from.at === "simulating" && from.job.kind === "submit", where);
    }
    if (does(step, "send")) {
      assert.ok(event.type === "sendAgain" || event.type === "signed", where);
      if (event.type === "signed") assert.deepEqual(step.effects.map((effect) => effect.do), ["keep", "send"], where);
    }
    // What is open is given up only when its end is known, or for what another account has signed.
    if (openBefore && openAfter !== openBefore) assert.ok(does(step, "forget") || event.type === "opened", where);
    if (openAfter && !openBefore) assert.ok(["signed", "opened", "elsewhere"].includes(event.type), where);
  }
});

test("no event leads to the wallet but a press of “Sign” on a review that may be signed and has no open doubt", () => {
  const { steps } = walk();
  let asked = 0;
  for (const { from, event, step } of steps) {
    if (!step.effects.some((effect) => effect.do === "askWallet")) continue;
    asked++;
    assert.deepEqual([from.at, event.type], ["review", "confirm"]);
    assert.ok(from.at === "review" && (from.review?.mayBeSigned ?? from.job.kind === "share"));
    assert.equal("job" in from && from.job.kind === "submit", false);
  }
  assert.ok(asked > 3);
  for (const { from, event, step } of steps) {
    if (from.at === "doubting" && step.state.at === "review") assert.equal(event.type, "trust");
    if (from.at === "simulating" && step.state.at === "review" && event.type === "prepared" && event.doubted) assert.equal(event.review?.mayBeSigned, false);
  }
});

test("nothing is forgotten before its end is known, and “nothing happened” is said only of a time that is over and remembered", () => {
  for (const { from, event, step } of walk().steps) {
    const forgets = step.effects.some((effect) => effect.do === "forget");
    const known = ["found", "refused"].includes(event.type) || (event.type === "missing" && event.ledgerTime > signed.validUntil);
    // What is in a link is told there.
    const inLink = "signed" in from && from.signed.inLink;
    if (forgets) assert.ok(known || (inLink && event.type === "letLapse"), event.type);
    const lapsedNow = step.state.at === "ended" && step.state.end.kind === "lapsed" && from.at !== "ended";
    if (lapsedNow) assert.ok(event.type === "missing" && event.ledgerTime > signed.validUntil && event.oldestTime <= signed.signedAt, event.type);
  }
});

test("while the end of a call is open, it goes on being asked for", () => {
  for (const { from, event, step } of walk().steps) {
    if (!["sent", "unknown", "looking"].includes(step.state.at)) continue;
    const asksOn = step.effects.some((effect) => effect.do === "ask" || effect.do === "look");
    const answers = ["accepted", "refused", "untaken", "unsent", "missing", "unreachable", "opened", "elsewhere"].includes(event.type);
    if (answers && step.state !== from) assert.ok(asksOn, `${event.type}: ${tell(step)}`);
  }
});
