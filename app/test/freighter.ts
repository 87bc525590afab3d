// Stands in for Freighter: answers its messages in the page, so that the real @stellar/freighter-api runs there.

import { hash, Keypair, TransactionBuilder } from "@stellar/stellar-sdk";
import type { BrowserContext } from "@playwright/test";

const REFUSED = { code: -4, message: "The user rejected this request." };

interface Request {
  type: string;
  transactionXdr?: string;
  entryXdr?: string;
  networkPassphrase?: string;
}

export class Freighter {
  allowed = false;
  locked = false;
  refuses = false;
  /** The window for signing stays open until then. */
  open: Promise<void> = Promise.resolve();
  /** The kind of request that it leaves without an answer, until it speaks. */
  silentTo: string | undefined;
  private readonly held: (() => void)[] = [];

  constructor(
    public keypair: Keypair,
    public networkPassphrase: string,
  ) {}

  async install(context: BrowserContext): Promise<void> {
    await context.exposeFunction("askFreighter", (request: Request) => this.answer(request));
    await context.addInitScript(() => {
      const page = window as unknown as { askFreighter: (request: unknown) => Promise<object> };
      addEventListener("message", ({ source, data }: MessageEvent<{ source: string; messageId: number } | undefined>) => {
        if (source !== window || data?.source !== "FREIGHTER_EXTERNAL_MSG_REQUEST") return;
        void page.askFreighter(data).then((answer) => {
          // The real one misspells the name, too.
          postMessage({ source: "FREIGHTER_EXTERNAL_MSG_RESPONSE", messagedId: data.messageId, ...answer }, location.origin);
        });
      });
    });
  }

  /** Whether something waits until it speaks. */
  get isAsked(): boolean {
    return this.held.length > 0;
  }

  /** Answers what it was asked meanwhile. */
  speak(): void {
    this.silentTo = undefined;
    for (const answer of this.held.splice(0)) answer();
  }

  private async answer({ type, transactionXdr = "", entryXdr = "" }: Request): Promise<object> {
    if (type === this.silentTo) await new Promise<void>((answer) => this.held.push(answer));
    const { keypair, networkPassphrase, allowed, locked } = this;
    const signerAddress = keypair.publicKey();
    switch (type) {
      case "REQUEST_CONNECTION_STATUS":
        return { isConnected: true };
      case "REQUEST_ALLOWED_STATUS":
        return { isAllowed: allowed };
      case "REQUEST_ACCESS":
        if (this.refuses) return { publicKey: "", apiError: REFUSED };
        this.allowed = !locked;
        return { publicKey: locked ? "" : signerAddress };
      case "REQUEST_PUBLIC_KEY":
        return { publicKey: allowed && !locked ? signerAddress : "" };
      case "REQUEST_NETWORK_DETAILS":
        return { networkDetails: { network: "CUSTOM", networkName: "Custom", networkUrl: "", networkPassphrase, sorobanRpcUrl: "" } };
      case "SUBMIT_TRANSACTION": {
        await this.open;
        if (this.refuses) return { apiError: REFUSED };
        const transaction = TransactionBuilder.fromXdr(transactionXdr, networkPassphrase);
        transaction.sign(keypair);
        return { signedTransaction: transaction.toXdr(), signerAddress };
      }
      case "SUBMIT_AUTH_ENTRY": {
        if (this.refuses) return { apiError: REFUSED };
        const signature = keypair.sign(hash(Buffer.from(entryXdr, "base64")));
        return { signedAuthEntry: Buffer.from(signature).toString("base64"), signerAddress };
      }
      default:
        throw new Error(`Freighter is asked for ${type}`);
    }
  }
}
