// Stands in for a wallet on a phone: it signs as Freighter and LOBSTR do, and speaks by the protocol's own client.

import { SignClient } from "@walletconnect/sign-client";
import { hash, Networks, TransactionBuilder, type Keypair } from "@stellar/stellar-sdk";

const CHAIN = "stellar:testnet";

type Client = Awaited<ReturnType<typeof SignClient.init>>;

interface Request {
  id: number;
  topic: string;
  params: { request: { method: string; params: { xdr?: string; entryXdr?: string } }; chainId: string };
}

/** How a wallet says no: the person declined, or it is on another network. */
const refusals = { declined: { code: 5000, message: "User rejected." }, elsewhere: { code: 5100, message: "Unsupported chains." } };

export class PhoneWallet {
  /** The methods that it was asked for. */
  readonly asked: string[] = [];
  refuses: keyof typeof refusals | undefined;
  /** Whether it leaves what it is asked without an answer, until it speaks. */
  silent = false;
  private readonly held: Request[] = [];
  /** Whether it signs authorization entries, as LOBSTR does not. */
  signsEntries = true;
  /** What it signs in place of what it is asked to sign. */
  forge: (xdr: string) => string = (xdr) => xdr;
  /** What pages have said that they are called. */
  readonly pages: string[] = [];
  /** With which key it signs. */
  signer: Keypair;

  private constructor(
    private readonly client: Client,
    public keypair: Keypair,
  ) {
    this.signer = keypair;
    client.on("session_proposal", ({ id, params }) => {
      this.pages.push(params.proposer.metadata.name);
      void this.decide(id);
    });
    client.on("session_request", (request) => void this.answer(request as Request));
  }

  static async start(relayUrl: string, projectId: string, keypair: Keypair): Promise<PhoneWallet> {
    const metadata = { name: "A wallet", description: "", url: "https://wallet.example", icons: [] };
    const client = await SignClient.init({
      projectId,
      relayUrl,
      metadata,
      logger: "silent",
      storageOptions: { database: ":memory:" },
      telemetryEnabled: false,
      // Otherwise all wallets of this process would be one.
      customStoragePrefix: keypair.publicKey(),
    });
    return new PhoneWallet(client, keypair);
  }

  /** Scans the code, or is opened by a link with it. */
  async pair(uri: string): Promise<void> {
    await this.client.pair({ uri });
  }

  /** Ends all connections, as the person can in the wallet. */
  async disconnect(): Promise<void> {
    for (const { topic } of this.sessions) await this.client.disconnect({ topic, reason: { code: 6000, message: "" } });
  }

  /** Shows another account from now on. */
  async choose(keypair: Keypair): Promise<void> {
    this.keypair = this.signer = keypair;
    for (const { topic } of this.sessions) {
      const { acknowledged } = await this.client.update({ topic, namespaces: this.namespaces });
      await acknowledged();
    }
  }

  /** Lets all connections hold for longer. */
  async extend(): Promise<void> {
    for (const { topic } of this.sessions) {
      const { acknowledged } = await this.client.extend({ topic });
      await acknowledged();
    }
  }

  get sessions() {
    return this.client.session.getAll();
  }

  async stop(): Promise<void> {
    await this.client.core.relayer.transportClose();
    this.client.core.heartbeat.stop();
  }

  private get namespaces() {
    const methods = ["stellar_signXDR", ...(this.signsEntries ? ["stellar_signAuthEntry"] : [])];
    return { stellar: { chains: [CHAIN], accounts: [`${CHAIN}:${this.keypair.publicKey()}`], methods, events: [] } };
  }

  private async decide(id: number): Promise<void> {
    if (this.refuses) await this.client.reject({ id, reason: refusals[this.refuses] });
    else await this.client.approve({ id, namespaces: this.namespaces });
  }

  /** Answers what it was asked meanwhile. */
  async speak(): Promise<void> {
    this.silent = false;
    for (const request of this.held.splice(0)) await this.reply(request);
  }

  private async answer(request: Request): Promise<void> {
    this.asked.push(request.params.request.method);
    if (this.silent) this.held.push(request);
    else await this.reply(request);
  }

  private async reply({ id, topic, params: { request } }: Request): Promise<void> {
    const response = this.refuses ? { error: refusals[this.refuses] } : { result: this.sign(request.params) };
    await this.client.respond({ topic, response: { id, jsonrpc: "2.0", ...response } });
  }

  private sign({ xdr, entryXdr }: Request["params"]["request"]["params"]): object {
    if (entryXdr) return { signedAuthEntry: Buffer.from(this.signer.sign(hash(Buffer.from(entryXdr, "base64")))).toString("base64") };
    const transaction = TransactionBuilder.fromXdr(this.forge(xdr ?? ""), Networks.TESTNET);
    transaction.sign(this.signer);
    return { signedXDR: transaction.toXdr() };
  }
}
