// Stands between the page and the network: it counts what is asked, and answers as a network in trouble does, or as one that lies.

import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { TransactionBuilder } from "@stellar/stellar-sdk";

/** What the page asks: a JSON-RPC method with its parameters, or the path of another request, such as `friendbot`. */
export interface Asked {
  method: string;
  params: Record<string, unknown>;
  id?: unknown;
}

export interface Answer {
  status: number;
  body: string;
  type?: string;
  headers?: Record<string, string>;
}

/** Answers in place of the network, which it can ask by `forward`. */
export type Behaviour = (asked: Asked, forward: () => Promise<Answer>) => Promise<Answer>;

/** The result of a JSON-RPC answer. */
export type Result = Record<string, unknown>;

class Dropped extends Error {}

/** Never answers. */
export const hang: Behaviour = () => new Promise(() => undefined);
/** Closes the connection before the network is asked. */
export const dropBefore: Behaviour = () => Promise.reject(new Dropped());
/** Closes the connection after the network has answered. */
export const dropAfter: Behaviour = (_, forward) => forward().then(() => Promise.reject(new Dropped()));
/** Such as 429 or 503. */
export const status =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  () => Promise.resolve({ status, body: "", headers });
/** As a hotel's network or a maintenance page does. */
export const html: Behaviour = () =>
  Promise.resolve({ status: 200, type: "text/html", body: "<!doctype html><title>Welcome</title><h1>Please log in</h1>" });
/** What begins as an answer, and is none. */
export const garbage: Behaviour = () => Promise.resolve({ status: 200, body: '{"jsonrpc":"2.0","id":1,"result":{"latestLed' });
export const error =
  (code: number, message: string): Behaviour =>
  ({ id }) => Promise.resolve({ status: 200, body: JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } }) });
export const delay =
  (milliseconds: number): Behaviour =>
  (_, forward) =>
    sleep(milliseconds).then(forward);

/** Behaves like this so many times, then as the network does. */
export function times(count: number, behaviour: Behaviour): Behaviour {
  let left = count;
  return (asked, forward) => (left-- > 0 ? behaviour(asked, forward) : forward());
}

/** Changes the result of an answer that has one. */
export function change(alter: (result: Result, asked: Asked) => Result | Promise<Result>): Behaviour {
  return async (asked, forward) => {
    const answer = await forward();
    const { result, ...rest } = JSON.parse(answer.body) as { result?: Result };
    if (!result) return answer;
    return { ...answer, body: JSON.stringify({ ...rest, result: await alter(result, asked) }) };
  };
}

/** Seconds between ledgers, as the local network counts them. */
const LEDGER_SECONDS = 5;

/** As a server that got its last ledger so many seconds ago. */
export const behind = (seconds: number): Behaviour => {
  const older: Record<string, number> = {
    closeTime: seconds,
    latestLedgerCloseTime: seconds,
    sequence: Math.ceil(seconds / LEDGER_SECONDS),
    latestLedger: Math.ceil(seconds / LEDGER_SECONDS),
  };
  return change((result) =>
    Object.fromEntries(
      Object.entries(result).map(([name, value]) => {
        if (!(name in older)) return [name, value];
        const aged = Number(value) - (older[name] ?? 0);
        return [name, typeof value === "string" ? String(aged) : aged];
      }),
    ),
  );
};

/** Looks for events through so many ledgers a request: what is later comes with the next page. */
export const scanLimit = (ledgers: number): Behaviour =>
  change((result, { params }) => {
    const { cursor } = (params.pagination ?? {}) as { cursor?: string };
    const last = (cursor ? ledgerOf(cursor) : Number(params.startLedger) - 1) + ledgers;
    if (ledgerOf(String(result.cursor)) <= last) return result;
    const events = (result.events as { ledger: number }[]).filter(({ ledger }) => ledger <= last);
    return { ...result, events, cursor: endOf(last) };
  });

/** The upper half of a cursor's first part is its ledger. */
const ledgerOf = (cursor: string) => Number(BigInt(cursor.split("-")[0] ?? "") >> 32n);
/** The cursor behind everything in a ledger. */
const endOf = (ledger: number) => `${String((BigInt(ledger) << 32n) | 0xffff_ffffn).padStart(19, "0")}-4294967295`;

/** The contract's function that a simulation or a transaction calls, if it calls one. */
export function calledFunction({ params }: Asked, passphrase: string): string | undefined {
  if (typeof params.transaction !== "string") return undefined;
  const transaction = TransactionBuilder.fromXdr(params.transaction, passphrase);
  const [operation] = "innerTransaction" in transaction ? transaction.innerTransaction.operations : transaction.operations;
  if (operation?.type !== "invokeHostFunction" || operation.func.type !== "hostFunctionTypeInvokeContract") return undefined;
  return String(operation.func.value.functionName);
}

export class RpcProxy {
  /** All that was asked, the oldest first. */
  readonly asked: Asked[] = [];
  private readonly behaviours = new Map<string, Behaviour>();

  private constructor(
    /** The address of the network that the page is given. */
    readonly url: string,
    readonly stop: () => void,
  ) {}

  /** In front of the network at this address. */
  static async start(target: string): Promise<RpcProxy> {
    const server = createServer((request, response) => {
      void (async () => {
        try {
          const { status, body, type = "application/json", headers } = await proxy.answer(target, request);
          response.writeHead(status, { "content-type": type, ...ALLOWED, ...headers }).end(body);
        } catch {
          response.destroy();
        }
      })();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const stop = () => {
      server.close();
      server.closeAllConnections();
    };
    const proxy = new RpcProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop);
    return proxy;
  }

  get rpcUrl(): string {
    return `${this.url}/rpc`;
  }

  /** From now on behaves like this where one of these methods is asked: those that have no behaviour of their own are `*`. */
  on(methods: string | string[], behaviour: Behaviour): void {
    for (const method of [methods].flat()) this.behaviours.set(method, behaviour);
  }

  /** From now on answers as the network does, or does so for these methods. */
  off(...methods: string[]): void {
    for (const method of methods.length > 0 ? methods : [...this.behaviours.keys()]) this.behaviours.delete(method);
  }

  /** How often each method was asked. */
  get counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { method } of this.asked) counts[method] = (counts[method] ?? 0) + 1;
    return counts;
  }

  /** How often these methods were asked, or all. */
  count(...methods: string[]): number {
    return this.asked.filter(({ method }) => methods.length === 0 || methods.includes(method)).length;
  }

  /** Forgets what was asked. */
  reset(): void {
    this.asked.length = 0;
  }

  private async answer(target: string, request: IncomingMessage): Promise<Answer> {
    const { method: verb = "GET", url = "/" } = request;
    // A browser asks first whether it may ask: that is not a request of the page.
    if (verb === "OPTIONS") return { status: 204, body: "", headers: { "access-control-allow-headers": "*" } };
    let sent = "";
    for await (const chunk of request.setEncoding("utf8")) sent += String(chunk);
    const asked = read(sent, url);
    this.asked.push(asked);
    const forward = async (): Promise<Answer> => {
      const headers = { "content-type": "application/json" };
      const answer = await fetch(target + url, verb === "POST" ? { method: verb, body: sent, headers } : { method: verb });
      return { status: answer.status, body: await answer.text(), type: answer.headers.get("content-type") ?? undefined };
    };
    const behaviour = this.behaviours.get(asked.method) ?? this.behaviours.get("*");
    return behaviour ? behaviour(asked, forward) : forward();
  }
}

const ALLOWED = { "access-control-allow-origin": "*" };

function read(sent: string, url: string): Asked {
  try {
    const { method, params = {}, id } = JSON.parse(sent) as Partial<Asked>;
    if (method) return { method, params, id };
  } catch {
    // It is no JSON: the path says what is asked.
  }
  return { method: url.replace(/^\/|\?.*/g, ""), params: {} };
}
