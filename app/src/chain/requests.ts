// Every request to a network's RPCs goes through here: it has a time limit, is repeated where that helps, and goes to the next RPC where one does not answer.

import { isDigits, isShape, isText, isWhole, maybe, type Is } from "../person/shapes.js";
import { OtherNetwork, Problem } from "../words/problem.js";

/** Whoever has not answered within so many milliseconds is taken not to answer. */
export const TIME_LIMIT = 10_000;
/** Public RPCs refuse those who ask much at once. */
const MOST_IN_FLIGHT = 6;
/** How often one RPC is asked the same: a busy one is asked again, and one that is silent once more. */
const TRIES = 3;
const TRIES_IN_SILENCE = 2;
/** The first wait before a repetition, in milliseconds; each further one is twice as long. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/** Why an RPC gave no answer: `wait` are the milliseconds after which it wants to be asked again, if it says so. */
class Failure extends Error {
  constructor(
    readonly kind: "busy" | "silent" | "offline" | "notRpc",
    readonly wait?: number,
  ) {
    super(kind);
  }
}

export interface Asked {
  jsonrpc: "2.0";
  id: number;
  method: string;
  params?: unknown;
}

export interface RpcProblem {
  code: number;
  message: string;
}

export interface Answer {
  result?: unknown;
  error?: RpcProblem;
}

const isError = isShape<RpcProblem>({ code: isWhole, message: isText });

const listOf = (is: Is<unknown>) => (value: unknown) => Array.isArray(value) && value.every(is);
/** RPCs write times as texts. */
const isTime = (value: unknown) => isDigits(value) || isWhole(value);

/** What the page reads of the results of these methods. */
const results: Record<string, Is<unknown>> = {
  getNetwork: isShape({ passphrase: isText }),
  getLatestLedger: isShape({ sequence: isWhole, closeTime: isTime }),
  getLedgerEntries: isShape({
    latestLedger: isWhole,
    entries: (entries) => entries === null || listOf(isShape({ key: isText, xdr: isText, liveUntilLedgerSeq: maybe(isWhole) }))(entries),
  }),
  getEvents: isShape({
    events: listOf(isShape({ ledger: isWhole, topic: listOf(isText) })),
    cursor: isText,
    latestLedger: isWhole,
    latestLedgerCloseTime: isTime,
  }),
  simulateTransaction: isShape({
    latestLedger: isWhole,
    error: maybe(isText),
    results: (results) => results === null || results === undefined || listOf(isShape({ xdr: isText }))(results),
  }),
  getFeeStats: isShape({ inclusionFee: isShape({ p80: isText }), sorobanInclusionFee: isShape({ p80: isText }) }),
  sendTransaction: isShape({ status: isText, hash: isText }),
  getTransaction: isShape({ status: isText }),
};

/** By this number, or by their words, RPCs say that they were asked too much. */
const LIMIT_EXCEEDED = -32_005;
const isLimit = ({ code, message }: RpcProblem) => code === LIMIT_EXCEEDED || code === 429 || /rate.?limit|too many requests/i.test(message);

export class Requests {
  private at = 0;
  private inFlight = 0;
  private readonly queue: (() => void)[] = [];
  /** The passphrase of the network that the RPC at this place serves, while it is asked, and for good if it is the right one. */
  private readonly passphrases = new Map<number, Promise<string | undefined>>();

  constructor(
    private readonly urls: readonly [string, ...string[]],
    private readonly passphrase: string,
    private readonly pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
  ) {}

  /** The RPC that is asked now. */
  get url(): string {
    return this.urls[this.at] ?? this.urls[0];
  }

  /**
   * Throws a problem if the RPC that is asked now says that it serves another network, and no other one serves the right network. One that does not say it
   * hinders nothing, since what else it is asked shows what is wrong with it.
   */
  async checkNetwork(): Promise<void> {
    const { at, url } = this;
    const passphrase = await this.passphraseOf(at, url);
    if (passphrase === undefined || passphrase === this.passphrase || (await this.moveOn(at))) return;
    throw new OtherNetwork(new URL(url).host, passphrase, this.passphrase);
  }

  /** Asks, and answers what the RPC answers: a result or an error of its own. It throws a problem if no RPC answers. */
  async post(body: Asked): Promise<Answer> {
    let moves = 0;
    for (let tried = 1; ; tried++) {
      const asked = this.at;
      try {
        return await this.inTurn(() => ask(this.url, body));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        // What was sent may have arrived: whether it is sent once more is for the person to say.
        if (body.method === "sendTransaction") throw new Problem(error.kind === "silent" ? "offline" : error.kind, new URL(this.url).host);
        // Somebody else's request may have moved on to another RPC in the meantime.
        if (this.at !== asked || (moves < this.urls.length - 1 && (await this.moveOn(asked)))) {
          moves++;
          tried = 0;
        } else if (error.kind === "notRpc" || tried >= (error.kind === "silent" ? TRIES_IN_SILENCE : TRIES)) {
          throw new Problem(error.kind === "silent" ? "offline" : error.kind, new URL(this.url).host);
        } else await this.pause(Math.min(LONGEST_WAIT, error.wait ?? FIRST_WAIT * 2 ** (tried - 1)));
      }
    }
  }

  /** From now on asks the next RPC that serves the same network, if there is one. */
  private async moveOn(from: number): Promise<boolean> {
    for (let step = 1; step < this.urls.length; step++) {
      const next = (from + step) % this.urls.length;
      const url = this.urls[next];
      if (!url) continue;
      if ((await this.passphraseOf(next, url)) !== this.passphrase) continue;
      if (this.at === from) this.at = next;
      return true;
    }
    return false;
  }

  private async passphraseOf(place: number, url: string): Promise<string | undefined> {
    const asked = this.passphrases.get(place) ?? this.inTurn(() => askPassphrase(url));
    this.passphrases.set(place, asked);
    const passphrase = await asked;
    // It may have been silent, or one of several servers behind the address may be wrong, only now: so it is asked anew another time.
    if (passphrase !== this.passphrase) this.passphrases.delete(place);
    return passphrase;
  }

  private async inTurn<T>(run: () => Promise<T>): Promise<T> {
    if (this.inFlight >= MOST_IN_FLIGHT) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.inFlight++;
    try {
      return await run();
    } finally {
      // Whoever waits first takes the place over.
      const next = this.queue.shift();
      if (next) next();
      else this.inFlight--;
    }
  }
}

async function ask(url: string, asked: Asked): Promise<Answer> {
  const [response, text] = await read(url, asked);
  const answer = answerIn(text, asked);
  const limited = response.status === 429 || (answer?.error && isLimit(answer.error));
  if (answer && !limited) return answer;
  // What stands in front of an RPC tells its troubles in JSON, too.
  if (limited || response.status >= 500) throw new Failure("busy", retryAfter(response));
  throw new Failure("notRpc");
}

async function read(url: string, asked: Asked): Promise<[Response, string]> {
  try {
    const signal = AbortSignal.timeout(TIME_LIMIT);
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(asked), signal });
    return [response, await response.text()];
  } catch (error) {
    throw new Failure(error instanceof Error && error.name === "TimeoutError" ? "silent" : "offline");
  }
}

/** The RPC's answer to what it was asked, or undefined if the text is something else, such as a web page. */
function answerIn(text: string, { id, method }: Asked): Answer | undefined {
  const answer = parse(text);
  // An error may be of a request that the RPC could not read, so that it knows no number of it.
  if (isShape({ id: (of) => of === id || of === null, error: isError })(answer)) return answer as Answer;
  const isResult = results[method] ?? ((result: unknown) => result !== null && result !== undefined);
  return isShape({ id: (of) => of === id, result: isResult })(answer) ? answer : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function retryAfter({ headers }: Response): number | undefined {
  const seconds = Number(headers.get("retry-after") ?? NaN);
  return seconds >= 0 ? seconds * 1000 : undefined;
}

/** Undefined if it does not answer. */
async function askPassphrase(url: string): Promise<string | undefined> {
  try {
    const { result } = await ask(url, { jsonrpc: "2.0", id: 1, method: "getNetwork" });
    return (result as { passphrase: string } | undefined)?.passphrase;
  } catch {
    return undefined;
  }
}
