// A session with a wallet by WalletConnect 2: it is proposed by a code that the wallet scans, agreed on, and then asked for signatures.
// The protocol's own client is not used: its licence allows no other relay, and ends with 500 users a month.

import { Keypair } from "@stellar/stellar-sdk";
import { isWhole } from "../../person/shapes.js";
import { Problem } from "../../words/problem.js";
import type { Pairing } from "../wallet.js";
import { agreeOnKey, open, publicKeyOf, randomHex, seal, topicOf } from "./envelope.js";
import { newId, Relay, type Delivery } from "./relay.js";

/** What has to be remembered of a session, so that it outlives a reload. */
export interface SavedSession {
  /** The seed of the key by which the relay knows this browser. */
  identity: string;
  key: string;
  chain: string;
  address: string;
  methods: string[];
  /** When the wallet ends the session, in Unix seconds. */
  expiry: number;
}

interface Message {
  id: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: { code: number; message: string };
}

interface Namespaces {
  stellar?: { accounts: string[]; methods: string[] };
}

/** What the wallet tells by itself. */
export interface SessionEvents {
  onEnd?: () => void;
  /** The wallet shows another account. */
  onAccount?: (session: SavedSession) => void;
  /** The wallet lets the session hold for longer. */
  onExtended?: (session: SavedSession) => void;
}

export const SIGN_TRANSACTION = "stellar_signXDR";
export const SIGN_ENTRY = "stellar_signAuthEntry";

/** For so many seconds a proposal or a request waits for the person. */
const PATIENCE = 300;
const DAY = 24 * 60 * 60;
/** For so many seconds a session holds at most from when the wallet agrees to it or extends it. */
const LONGEST = 7 * DAY;

/** Each kind of message to the wallet by its tag; that of the answer is one more. */
const propose: Delivery = { ttl: PATIENCE, tag: 1100, prompt: true };
const request: Delivery = { ttl: PATIENCE, tag: 1108, prompt: true };
const end: Delivery = { ttl: DAY, tag: 1112 };

/** What the wallet may ask of this page, and the tag of the answer. */
const answers: Record<string, Delivery> = {
  wc_sessionSettle: { ttl: PATIENCE, tag: 1103 },
  wc_sessionUpdate: { ttl: DAY, tag: 1105 },
  wc_sessionExtend: { ttl: DAY, tag: 1107 },
  wc_sessionEvent: { ttl: PATIENCE, tag: 1111 },
  wc_sessionDelete: { ttl: DAY, tag: 1113 },
  wc_sessionPing: { ttl: 30, tag: 1115 },
};

export class Session {
  events: SessionEvents = {};
  private readonly relay: Relay;
  private readonly keys = new Map<string, string>();
  private readonly waiting = new Map<number, (answer: Message) => void>();
  private readonly seen = new Set<number>();
  private settled: ((params: Record<string, unknown>) => void) | undefined;

  private constructor(
    projectId: string,
    private readonly identity: string,
  ) {
    this.relay = new Relay(projectId, Keypair.fromSecret(identity), (topic, message) => this.receive(topic, message));
  }

  saved: SavedSession | undefined;

  /** Proposes a session, and answers once the person has agreed in the wallet. */
  static async propose(projectId: string, chain: string, pairing: Pairing): Promise<Session> {
    const { signal } = pairing;
    // The person may give up while this is being loaded.
    if (signal.aborted) throw new Problem("rejected");
    const session = new Session(projectId, Keypair.random().secret());
    try {
      await Promise.race([session.pair(chain, pairing), aborted(signal), tooLate(PATIENCE)]);
      return session;
    } catch (error) {
      session.relay.close();
      throw error;
    }
  }

  /** Goes on with a session, if the wallet has not ended it meanwhile. */
  static resume(projectId: string, saved: SavedSession): Session | undefined {
    if (saved.expiry <= Date.now() / 1000) return undefined;
    const session = new Session(projectId, saved.identity);
    session.saved = saved;
    session.listen(saved.key).catch(() => undefined);
    return session;
  }

  /** Asks the wallet for a signature, for which the person has some minutes. */
  async request(method: string, params: object): Promise<unknown> {
    if (!this.saved) throw new Problem("walletGone");
    const { key, chain } = this.saved;
    const expiryTimestamp = Math.floor(Date.now() / 1000) + PATIENCE;
    const asked = this.ask(key, "wc_sessionRequest", { request: { method, params, expiryTimestamp }, chainId: chain }, request);
    const { result, error } = await Promise.race([asked, tooLate(PATIENCE)]);
    if (error) throw refusal(error);
    return result;
  }

  /** Ends it at both ends. */
  async end(): Promise<void> {
    const { saved } = this;
    this.saved = undefined;
    if (saved) await this.tell(saved.key, { id: newId(), method: "wc_sessionDelete", params: { code: 6000, message: "disconnected" } }, end).catch(() => undefined);
    this.relay.close();
  }

  private async pair(chain: string, { show, title }: Pairing): Promise<void> {
    const [pairingKey, secretKey] = [randomHex(32), randomHex(32)];
    const pairingTopic = await this.listen(pairingKey);
    const expiryTimestamp = Math.floor(Date.now() / 1000) + PATIENCE;
    const proposal = {
      requiredNamespaces: { stellar: { chains: [chain], methods: [SIGN_TRANSACTION], events: [] } },
      optionalNamespaces: { stellar: { chains: [chain], methods: [SIGN_ENTRY], events: [] } },
      relays: [{ protocol: "irn" }],
      pairingTopic,
      proposer: { publicKey: publicKeyOf(secretKey), metadata: metadata(title) },
      expiryTimestamp,
    };
    const agreed = new Promise<Record<string, unknown>>((resolve) => (this.settled = resolve));
    const answered = this.ask(pairingKey, "wc_sessionPropose", proposal, propose);
    const query = new URLSearchParams({ "relay-protocol": "irn", symKey: pairingKey, expiryTimestamp: String(expiryTimestamp) });
    show(`wc:${pairingTopic}@2?${query}`);
    const { result, error } = await answered;
    if (error) throw refusal(error);
    const key = agreeOnKey(secretKey, (result as { responderPublicKey: string }).responderPublicKey);
    await this.listen(key);
    const { namespaces, expiry } = (await agreed) as { namespaces: Namespaces; expiry: unknown };
    const saved = { identity: this.identity, key, chain, expiry: expiryOf(expiry), address: "", methods: [] };
    this.saved = use(saved, namespaces);
    if (this.saved) return;
    this.saved = saved;
    await this.end();
    throw new Problem("wrongNetwork");
  }

  private async listen(key: string): Promise<string> {
    const topic = topicOf(key);
    this.keys.set(topic, key);
    await this.relay.subscribe(topic);
    return topic;
  }

  private async ask(key: string, method: string, params: object, delivery: Delivery): Promise<Message> {
    const id = newId();
    const answer = new Promise<Message>((resolve) => this.waiting.set(id, resolve));
    await this.tell(key, { id, method, params }, delivery);
    return answer;
  }

  private tell(key: string, message: object, delivery: Delivery): Promise<void> {
    return this.relay.publish(topicOf(key), seal(key, { jsonrpc: "2.0", ...message }), delivery);
  }

  private receive(topic: string, text: string): void {
    const key = this.keys.get(topic);
    if (!key) return;
    let message: Message;
    try {
      message = open(key, text) as Message;
    } catch {
      // Whoever knows a topic can send to it; only who knows the key can say something.
      return;
    }
    const { id, method, params = {} } = message;
    if (!method) {
      this.waiting.get(id)?.(message);
      this.waiting.delete(id);
      return;
    }
    // The relay may deliver a message twice.
    if (this.seen.has(id)) return;
    this.seen.add(id);
    const answer = answers[method];
    if (answer) void this.tell(key, { id, result: true }, answer).catch(() => undefined);
    this.obey(method, params);
  }

  private obey(method: string, params: Record<string, unknown>): void {
    if (method === "wc_sessionSettle") this.settled?.(params);
    if (!this.saved) return;
    if (method === "wc_sessionExtend") {
      this.saved = { ...this.saved, expiry: expiryOf(params.expiry) };
      this.events.onExtended?.(this.saved);
    }
    if (method === "wc_sessionDelete") this.stop();
    if (method === "wc_sessionUpdate") {
      const updated = use(this.saved, params.namespaces as Namespaces);
      if (!updated) this.stop();
      else if (updated.address !== this.saved.address) this.events.onAccount?.((this.saved = updated));
    }
  }

  private stop(): void {
    this.saved = undefined;
    for (const [id, resolve] of this.waiting) resolve({ id, error: { code: GONE, message: "" } });
    this.waiting.clear();
    this.events.onEnd?.();
    this.relay.close();
  }
}

/** When a session ends, by what the wallet tells. Wallets that run the protocol's own client in JavaScript name no time when they extend one. */
function expiryOf(told: unknown): number {
  const latest = Math.floor(Date.now() / 1000) + LONGEST;
  return isWhole(told) && told > 0 ? Math.min(told, latest) : latest;
}

/** The session with the account that the wallet gives for its chain, if it gives one that signs transactions. */
function use(session: SavedSession, { stellar }: Namespaces): SavedSession | undefined {
  const address = stellar?.accounts.find((account) => account.startsWith(`${session.chain}:`))?.slice(session.chain.length + 1);
  return address && stellar?.methods.includes(SIGN_TRANSACTION) ? { ...session, address, methods: stellar.methods } : undefined;
}

/** How the wallet names this page to the person. */
const metadata = (name: string) => ({
  name,
  description: document.querySelector<HTMLMetaElement>('meta[name="description"]')?.content ?? "",
  url: location.origin + location.pathname,
  icons: [new URL("icon.svg", location.href).href],
});

const GONE = 6000;
const EXPIRED = 8000;
/** The person declined: by the number that wallets of Ethereum use for it, or by those of the protocol. */
const declined = (code: number) => code === 4001 || (code >= 5000 && code < 5100);
const notSupported = (code: number) => code >= 5100 && code < 5200;

function refusal({ code, message }: { code: number; message: string }): Problem {
  if (declined(code)) return new Problem("rejected");
  if (notSupported(code)) return new Problem("wrongNetwork", message);
  if (code === GONE) return new Problem("walletGone");
  return code === EXPIRED ? new Problem("walletSilent") : new Problem("walletFailed", message);
}

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Problem("rejected")), { once: true }));

const tooLate = (seconds: number) =>
  new Promise<never>((_, reject) => setTimeout(() => reject(new Problem("walletSilent")), seconds * 1000));
