// Every request to a network's RPCs goes through here: it has a time limit, is repeated where that helps, and goes to the next RPC where one does not answer.

import { Problem } from "../words/problem.js";

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

export interface Answer {
  result?: unknown;
  error?: unknown;
}

export class Requests {
  private at = 0;
  private inFlight = 0;
  private readonly queue: (() => void)[] = [];
  /** Whether the RPC at this place serves the same network, as far as it was asked. */
  private readonly checks = new Map<number, Promise<boolean>>();

  constructor(
    private readonly urls: readonly [string, ...string[]],
    private readonly passphrase: string,
    private readonly pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
  ) {}

  /** The RPC that is asked now. */
  get url(): string {
    return this.urls[this.at] ?? this.urls[0];
  }

  /** Asks, and answers what the RPC answers: a result or an error of its own. It throws a problem if no RPC answers. */
  async post(body: unknown): Promise<Answer> {
    let moves = 0;
    for (let tried = 1; ; tried++) {
      const asked = this.at;
      try {
        return await this.inTurn(() => ask(this.url, body));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
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
      const check = this.checks.get(next) ?? this.inTurn(() => servesNetwork(url, this.passphrase));
      this.checks.set(next, check);
      if (await check) {
        if (this.at === from) this.at = next;
        return true;
      }
      // It may have been silent only now, so it is asked anew another time.
      this.checks.delete(next);
    }
    return false;
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

async function ask(url: string, body: unknown): Promise<Answer> {
  const [response, text] = await read(url, body);
  const answer = parse(text);
  if (answer) return answer;
  if (response.status === 429 || response.status >= 500) throw new Failure("busy", retryAfter(response));
  throw new Failure("notRpc");
}

async function read(url: string, body: unknown): Promise<[Response, string]> {
  try {
    const signal = AbortSignal.timeout(TIME_LIMIT);
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body), signal });
    return [response, await response.text()];
  } catch (error) {
    throw new Failure(error instanceof Error && error.name === "TimeoutError" ? "silent" : "offline");
  }
}

/** The answer in this text, or undefined if that is something else, such as a web page. */
function parse(text: string): Answer | undefined {
  try {
    const answer = JSON.parse(text) as unknown;
    return typeof answer === "object" && answer !== null && ("result" in answer || "error" in answer) ? answer : undefined;
  } catch {
    return undefined;
  }
}

function retryAfter({ headers }: Response): number | undefined {
  const seconds = Number(headers.get("retry-after") ?? NaN);
  return seconds >= 0 ? seconds * 1000 : undefined;
}

async function servesNetwork(url: string, passphrase: string): Promise<boolean> {
  try {
    const { result } = await ask(url, { jsonrpc: "2.0", id: 1, method: "getNetwork" });
    return (result as { passphrase?: unknown } | undefined)?.passphrase === passphrase;
  } catch {
    return false;
  }
}
