// Stands in for the relay of WalletConnect, on this machine: it speaks the same JSON-RPC by WebSocket, and lets in who proves who it is.

import { createHash } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { decodeJWT, verifyJWT } from "@walletconnect/relay-auth";
import { WebSocket, WebSocketServer, type RawData } from "ws";
import type { BrowserContext } from "@playwright/test";

const REAL = "wss://relay.walletconnect.org";

interface Mail {
  message: string;
  tag: number;
  publishedAt: number;
  /** Who has sent it, or has it already. */
  had: Set<string>;
}

interface Client {
  id: string;
  isPage: boolean;
  socket: WebSocket;
  topics: Set<string>;
}

interface Frame {
  id: number;
  method?: string;
  params: { topic: string; topics: string[]; message: string; tag: number } & Approval;
}

/** How newer wallets agree to a session: the relay makes two messages and a subscription of it. */
interface Approval {
  pairingTopic: string;
  sessionTopic: string;
  sessionProposalResponse: string;
  sessionSettlementRequest: string;
}

export class WalletRelay {
  /** Every message that was published, as the relay sees it. */
  readonly carried: { topic: string; message: string; tag: number }[] = [];
  /** Those who were refused, and why. */
  readonly refused: string[] = [];
  private readonly clients = new Set<Client>();
  private readonly mail = new Map<string, Mail[]>();
  private nextId = Date.now() * 1000;

  private constructor(
    private readonly server: WebSocketServer,
    private readonly projectId: string,
    readonly url: string,
  ) {
    server.on("connection", (socket, request) => {
      void this.admit(socket, new URL(request.url ?? "", url).searchParams);
    });
  }

  static async start(projectId: string): Promise<WalletRelay> {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    return new WalletRelay(server, projectId, `ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  /** Leads a browser’s connections to the real relay here. */
  async serve(context: BrowserContext): Promise<void> {
    await context.routeWebSocket(new RegExp(`^${REAL}/`), (route) => {
      const socket = new WebSocket(this.url + route.url().slice(REAL.length));
      const early: (string | Buffer)[] = [];
      route.onMessage((message) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(message);
        else early.push(message);
      });
      socket.on("open", () => {
        for (const message of early) socket.send(message);
      });
      socket.on("message", (message) => route.send(textOf(message)));
      socket.on("close", () => void route.close());
      socket.on("error", () => void route.close());
      route.onClose(() => socket.close());
    });
  }

  /** Cuts the connections of pages, as a phone does that puts a page to sleep. */
  cut(): void {
    for (const client of this.clients) if (client.isPage) this.drop(client);
  }

  stop(): void {
    for (const client of this.clients) this.drop(client);
    this.server.close();
  }

  private drop(client: Client): void {
    this.clients.delete(client);
    client.socket.terminate();
  }

  private async admit(socket: WebSocket, query: URLSearchParams): Promise<void> {
    // What is sent meanwhile waits.
    const early: RawData[] = [];
    const keep = (data: RawData) => early.push(data);
    socket.on("message", keep);
    const reason = await this.refusal(query);
    if (reason) {
      this.refused.push(reason);
      socket.close(3000, reason);
      return;
    }
    const { iss, aud } = decodeJWT(query.get("auth") ?? "").payload;
    const client: Client = { id: iss, isPage: aud === REAL, socket, topics: new Set() };
    this.clients.add(client);
    socket.on("close", () => this.clients.delete(client));
    socket.off("message", keep);
    socket.on("message", (data) => this.answer(client, data));
    for (const data of early) this.answer(client, data);
  }

  private async refusal(query: URLSearchParams): Promise<string | undefined> {
    if (query.get("projectId") !== this.projectId) return "no such project";
    const jwt = query.get("auth") ?? "";
    try {
      const { aud, iat, exp } = decodeJWT(jwt).payload;
      const now = Date.now() / 1000;
      if (![REAL, this.url].includes(aud)) return `for another relay: ${aud}`;
      if (iat > now + 60 || exp < now) return "not valid now";
      return (await verifyJWT(jwt)) ? undefined : "a wrong signature";
    } catch (error) {
      return String(error);
    }
  }

  private answer(client: Client, data: RawData): void {
    const { id, method, params } = JSON.parse(textOf(data)) as Frame;
    // What has no method is the receipt of a message.
    if (!method) return;
    const reply = (result: unknown) => client.socket.send(JSON.stringify({ id, jsonrpc: "2.0", result }));
    const subscription = (topic: string) => createHash("sha256").update(topic + client.id).digest("hex");
    switch (method) {
      case "irn_publish":
        reply(true);
        this.publish(client, params);
        return;
      case "wc_approveSession":
        reply(true);
        this.listen(client, params.sessionTopic);
        this.publish(client, { topic: params.pairingTopic, message: params.sessionProposalResponse, tag: 1101 });
        this.publish(client, { topic: params.sessionTopic, message: params.sessionSettlementRequest, tag: 1102 });
        return;
      case "irn_subscribe":
        reply(subscription(params.topic));
        this.listen(client, params.topic);
        return;
      case "irn_batchSubscribe":
        reply(params.topics.map(subscription));
        for (const topic of params.topics) this.listen(client, topic);
        return;
      case "irn_unsubscribe":
        client.topics.delete(params.topic);
        reply(true);
        return;
      case "irn_fetchMessages":
        reply({ messages: this.collect(client, params.topic), hasMore: false });
        return;
      case "irn_batchFetchMessages":
        reply({ messages: params.topics.flatMap((topic) => this.collect(client, topic)), hasMore: false });
        return;
      default:
        client.socket.send(JSON.stringify({ id, jsonrpc: "2.0", error: { code: -32601, message: `no method ${method}` } }));
    }
  }

  private publish(from: Client, { topic, message, tag }: { topic: string; message: string; tag: number }): void {
    this.carried.push({ topic, message, tag });
    const mail = { message, tag, publishedAt: Date.now(), had: new Set([from.id]) };
    this.mail.set(topic, [...(this.mail.get(topic) ?? []), mail]);
    for (const client of this.clients) if (client.topics.has(topic)) this.listen(client, topic);
  }

  private listen(client: Client, topic: string): void {
    client.topics.add(topic);
    for (const data of this.collect(client, topic)) {
      const params = { id: topic, data: { ...data, topic } };
      client.socket.send(JSON.stringify({ id: this.nextId++, jsonrpc: "2.0", method: "irn_subscription", params }));
    }
  }

  private collect({ id }: Client, topic: string): { topic: string; message: string; tag: number; publishedAt: number }[] {
    return (this.mail.get(topic) ?? []).flatMap(({ had, ...data }) => {
      if (had.has(id)) return [];
      had.add(id);
      return [{ topic, ...data }];
    });
  }
}

const textOf = (data: RawData): string => (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString();
