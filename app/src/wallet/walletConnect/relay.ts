// The relay that carries sealed messages between this page and a wallet: JSON-RPC by WebSocket. It knows topics, and reads no message.

import { Keypair } from "@stellar/stellar-sdk";
import { Problem } from "../../words/problem.js";
import { RELAY } from "./address.js";
import { randomHex } from "./envelope.js";

/** What the relay needs to know of a message: for how many seconds to keep it, of which kind it is, and whether to wake the wallet. */
export interface Delivery {
  ttl: number;
  tag: number;
  prompt?: boolean;
}

interface Frame {
  id: number;
  method?: string;
  params?: { data?: { topic: string; message: string } };
  result?: unknown;
  error?: { message: string };
}

interface Waiting {
  text: string;
  resolve: (result: unknown) => void;
  reject: (problem: Problem) => void;
}

/** After so many failures to connect in a row, what waits is told. */
const TRIES = 3;
const LONGEST_PAUSE = 30_000;
/** Whoever has not taken the connection within so many milliseconds does not take it. */
const TIME_LIMIT = 10_000;
const TOKEN_HOLDS = 24 * 60 * 60;

let lastId = 0;

/** An id that is unique for this page and grows: of messages to the relay, and of those to the wallet. */
export function newId(): number {
  lastId = Math.max(lastId + 1, Date.now() * 1000 + Math.floor(Math.random() * 1000));
  return lastId;
}

export class Relay {
  private socket: WebSocket | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private readonly topics = new Set<string>();
  private failures = 0;
  private ended = false;
  private timer = 0;

  constructor(
    private readonly projectId: string,
    /** By this key the relay knows which messages it has delivered here. */
    private readonly identity: Keypair,
    private readonly onMessage: (topic: string, message: string) => void,
  ) {
    this.connect();
    // A phone cuts the connection while the wallet's app is in front.
    document.addEventListener("visibilitychange", this.wake);
    addEventListener("online", this.wake);
  }

  async subscribe(topic: string): Promise<void> {
    this.topics.add(topic);
    await this.ask("irn_subscribe", { topic });
  }

  async publish(topic: string, message: string, { ttl, tag, prompt = false }: Delivery): Promise<void> {
    await this.ask("irn_publish", { topic, message, ttl, tag, prompt });
  }

  close(): void {
    this.ended = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.wake);
    removeEventListener("online", this.wake);
    this.socket?.close();
    this.failAll();
  }

  private readonly wake = () => {
    if (document.visibilityState === "visible" && !this.socket) this.connect();
  };

  private ask(method: string, params: object): Promise<unknown> {
    const id = newId();
    return new Promise((resolve, reject) => {
      const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
      this.waiting.set(id, { text, resolve, reject });
      this.send(text);
    });
  }

  private send(text: string): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  private connect(): void {
    clearTimeout(this.timer);
    const query = new URLSearchParams({ auth: token(this.identity), projectId: this.projectId });
    const socket = new WebSocket(`${RELAY}/?${query}`);
    this.socket = socket;
    const limit = setTimeout(() => socket.close(), TIME_LIMIT);
    socket.onopen = () => {
      clearTimeout(limit);
      for (const { text } of this.waiting.values()) this.send(text);
      // What came while the connection was cut is delivered with the subscription, or else by asking for it.
      for (const topic of this.topics) void this.catchUp(topic).catch(() => undefined);
    };
    socket.onmessage = ({ data }) => this.receive(JSON.parse(String(data)) as Frame);
    socket.onclose = () => {
      clearTimeout(limit);
      this.socket = undefined;
      if (this.ended) return;
      if (++this.failures >= TRIES) this.failAll();
      this.timer = window.setTimeout(() => this.connect(), Math.min(LONGEST_PAUSE, 500 * 2 ** this.failures));
    };
  }

  private async catchUp(topic: string): Promise<void> {
    await this.ask("irn_subscribe", { topic });
    const { messages = [] } = (await this.ask("irn_fetchMessages", { topic })) as { messages?: { message: string }[] };
    for (const { message } of messages) this.onMessage(topic, message);
  }

  private receive({ id, method, params, result, error }: Frame): void {
    // A relay that refuses takes the connection first, and then ends it.
    this.failures = 0;
    if (method === "irn_subscription" && params?.data) {
      this.send(JSON.stringify({ jsonrpc: "2.0", id, result: true }));
      this.onMessage(params.data.topic, params.data.message);
      return;
    }
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) waiting?.reject(new Problem("relayFailed", error.message));
    else waiting?.resolve(result);
  }

  private failAll(): void {
    for (const { reject } of this.waiting.values()) reject(new Problem("relayFailed"));
    this.waiting.clear();
  }
}

/** Proves to the relay that the identity asks: a JSON web token, signed with Ed25519. */
function token(identity: Keypair): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => base64Url(new TextEncoder().encode(JSON.stringify(value)));
  const claims = { iss: `did:key:${multibase(identity.rawPublicKey())}`, sub: randomHex(32), aud: RELAY, iat: now, exp: now + TOKEN_HOLDS };
  const signed = `${part({ alg: "EdDSA", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${base64Url(identity.sign(new TextEncoder().encode(signed)))}`;
}

const base64Url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** An Ed25519 public key as `did:key` writes it: base 58, with the two bytes before it that say what it is. */
function multibase(publicKey: Uint8Array): string {
  let rest = [0xed, 0x01, ...publicKey].reduce((number, byte) => number * 256n + BigInt(byte), 0n);
  let text = "";
  for (; rest > 0n; rest /= 58n) text = `${BASE58[Number(rest % 58n)]}${text}`;
  return `z${text}`;
}
