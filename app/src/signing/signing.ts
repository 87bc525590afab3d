// Does what the machine in story.ts says is to be done, and tells it what came of it.

import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { Config } from "../../client/src/index.js";
import type { Chain } from "../chain/chain.js";
import { codesOf, type Codes } from "../chain/code.js";
import { acceptedWasm, doubtsOf } from "../contract/accepted.js";
import { clearDraft } from "../parts/draft.js";
import { fullLink, href } from "../person/place.js";
import { isTrusted, trust } from "../person/trust.js";
import type { Wallet } from "../wallet/wallet.js";
import { Problem, problemOf } from "../words/problem.js";
import { forget, hasSigned, keep, recallSigned, takeTurn, watchSigned } from "./kept.js";
import { saveLink } from "./outbox.js";
import {
  idle,
  LONG_PAUSE,
  next,
  shownIn,
  type ApproveJob,
  type Effect,
  type Event,
  type Job,
  type SendJob,
  type SignedCall,
  type State,
  type SubmitJob,
  type Way,
} from "./story.js";
import type { Prepared, Receipt } from "./submit.js";
import { toolsFor } from "./toolbox.js";

interface Needs {
  chain: Chain;
  config: Config;
  wallet: Wallet | undefined;
  /** The ledger's time, in Unix seconds. */
  now: bigint;
  /** Has all views read again. */
  refresh: () => void;
  /** Tells them which call has gone through. */
  onDone: (signed: SignedCall, receipt: Receipt) => void;
}

export interface Signing {
  state: State;
  start: (job: Job) => void;
  press: (way: Way) => void;
}

export function useSigning(needs: Needs): Signing {
  const [state, setState] = useState(idle);
  const [runner] = useState(() => new Runner(needs, setState));
  runner.needs = needs;
  const account = needs.wallet?.address;

  // Before anything of the account's can be pressed: what begins later would end what a press has begun.
  useLayoutEffect(() => {
    runner.open();
    return watchSigned(needs.chain, account ?? NOBODY, (signed) => runner.tell({ type: "elsewhere", signed }));
  }, [needs.chain, account]);

  useEffect(() => {
    // Back, in the browser or by a gesture, leads out of the dialog too.
    const leave = () => {
      if (shownIn(runner.state) === "dialog") runner.tell({ type: "leave" });
    };
    addEventListener("hashchange", leave);
    return () => removeEventListener("hashchange", leave);
  }, []);

  return { state, start: (job) => runner.tell({ type: "start", job }), press: (type) => runner.tell({ type }) };
}

/** The account under which it is kept what somebody without a wallet has sent. */
const NOBODY = "";

class Runner {
  state = idle;
  /** Lets other tabs sign. */
  private giveTurnBack = () => {};
  /** The next question, and the number of the last: an answer to another comes too late. */
  private timer: ReturnType<typeof setTimeout> | undefined;
  private question = 0;

  constructor(
    public needs: Needs,
    private readonly show: (state: State) => void,
  ) {}

  /** Begins with what the account has signed before. */
  open(): void {
    this.cancelQuestion();
    this.tell({ type: "opened" });
    const { chain } = this.needs;
    if (hasSigned(chain, this.account)) this.openSigned(chain, this.account);
  }

  private openSigned(chain: Chain, account: string): void {
    const isOpen = () => this.needs.chain === chain && this.account === account;
    recallSigned(chain, account).then(
      (signed) => isOpen() && this.tell({ type: "opened", signed }),
      () => setTimeout(() => isOpen() && this.openSigned(chain, account), LONG_PAUSE),
    );
  }

  /** Whose signatures are kept. */
  private get account(): string {
    return this.needs.wallet?.address ?? NOBODY;
  }

  tell(event: Event): void {
    const { state, effects } = next(this.state, event);
    this.state = state;
    this.show(state);
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: Effect): void {
    const { chain, config, now, refresh, onDone } = this.needs;
    switch (effect.do) {
      case "simulate": {
        const { run } = effect;
        this.simulate(run, effect.job).then(
          (event) => this.tell(event),
          (error: unknown) => this.tell({ type: "hindered", run, problem: problemOf(error) }),
        );
        return;
      }
      case "askWallet": {
        const { run } = effect;
        this.askWallet(effect).catch((error: unknown) => this.tell({ type: "hindered", run, problem: problemOf(error) }));
        return;
      }
      case "trust":
        trust(chain.contractId, effect.codes);
        return;
      case "stopWallet":
        this.giveTurnBack();
        return;
      case "recall":
        this.recall().catch(() => undefined);
        return;
      case "keep":
        keep(chain, this.account, effect.signed);
        return;
      case "forget":
        this.cancelQuestion();
        forget(chain, this.account, effect.signed);
        return;
      case "send": {
        const { hash } = effect.signed;
        toolsFor(chain)
          .then((tools) => tools.send(tools.chain, effect.signed))
          .then(
            (event) => this.tell(event),
            () => this.tell({ type: "unsent", hash }),
          );
        return;
      }
      case "ask":
        this.inquire(effect, async (signed) => {
          const tools = await toolsFor(chain);
          return tools.ask(tools.chain, config.token_contract, signed);
        });
        return;
      case "look":
        this.inquire(effect, async (signed) => {
          const tools = await toolsFor(chain);
          return { type: "found", hash: signed.hash, end: await tools.look(tools.chain, signed) };
        });
        return;
      case "saveLink":
        saveLink(chain.contractId, effect.job, effect.link, now);
        return;
      case "openLink":
        // Going back does not lose a signature.
        if (effect.replaces) location.replace(effect.link);
        else location.assign(effect.link);
        return;
      case "emptyForm":
        clearDraft(effect.form);
        return;
      case "refresh":
        refresh();
        return;
      case "tellDone":
        onDone(effect.signed, effect.receipt);
        return;
    }
  }

  private async simulate(run: number, job: Job): Promise<Event> {
    // It is known from the start, unless the RPC did not tell it then.
    await this.needs.chain.requests.checkNetwork();
    if (job.kind === "submit") {
      const signed = await this.bring(job);
      // What another tab has signed has to end first: then this comes too late.
      await this.recall();
      return { type: "signed", run, signed };
    }
    const { wallet } = this.needs;
    if (!wallet) throw new Problem("noWallet");
    await wallet.check();
    const tools = await toolsFor(this.needs.chain);
    switch (job.kind) {
      case "send":
        return this.review(run, job, wallet);
      case "share": {
        const [doubted] = await Promise.all([this.doubted(), tools.assembleFor(tools.chain, job.call, job.other)]);
        return { type: "prepared", run, doubted };
      }
      case "approve": {
        const [doubted, review] = await Promise.all([this.doubted(), this.reviewOf(job, wallet)]);
        return { type: "prepared", run, review, doubted };
      }
    }
  }

  private async review(run: number, { call, signed }: SendJob, { address }: Wallet): Promise<Event> {
    const { chain, config } = this.needs;
    const tools = await toolsFor(chain);
    const [doubted, prepared, signers] = await Promise.all([
      this.doubted(),
      tools.prepare(tools.chain, config, call, address, signed),
      tools.readSigners(tools.chain, address),
    ]);
    const review = tools.withinMeans(prepared, signers.spendable);
    if (!tools.needsOthers(signers, address, call) || !review.mayBeSigned) return { type: "prepared", run, review, doubted };
    return { type: "needsOthers", run, link: href({ name: "approve", envelope: await tools.draftApproval(tools.chain, review) }) };
  }

  /** What a link would have this person sign, as it is now. */
  private async reviewOf({ envelope }: ApproveJob, { address }: Wallet): Promise<Prepared> {
    const { chain, config } = this.needs;
    const tools = await toolsFor(chain);
    const approval = await tools.readApproval(tools.chain, config, envelope);
    if (!approval.review || !tools.waitsFor(approval, address)) throw new Problem("linkOver");
    return approval.review;
  }

  /** What a link brings, with all its signatures. */
  private async bring({ envelope }: SubmitJob): Promise<SignedCall> {
    const { chain, config } = this.needs;
    const tools = await toolsFor(chain);
    const { state, weight, needed, transaction, expiresAt } = await tools.readApproval(tools.chain, config, envelope);
    if (state !== "open" || weight < needed) throw new Problem("linkOver");
    // It was made when its time began, and somebody else may have sent it since.
    return tools.readSigned(tools.chain, { transaction: transaction.toXdr(), signedAt: Number(expiresAt) - tools.APPROVAL_HOLDS, inLink: true });
  }

  /** What this page does not know of the contract's code and its token, unless the person trusts it. */
  private async doubted(): Promise<Codes | undefined> {
    const { chain, config } = this.needs;
    const codes = await codesOf(chain, config.token_contract);
    return doubtsOf(codes, acceptedWasm()).length > 0 && !isTrusted(chain.contractId, codes) ? codes : undefined;
  }

  private async askWallet({ run, job, review }: Extract<Effect, { do: "askWallet" }>): Promise<void> {
    const { chain, wallet } = this.needs;
    if (!wallet) throw new Problem("noWallet");
    const tools = await toolsFor(chain);
    const giveBack = await takeTurn(chain, wallet.address);
    if (!giveBack) throw new Problem("otherTab");
    this.giveTurnBack = giveBack;
    try {
      // What was left while the turn was taken opens no wallet.
      if ((await this.recall()) || run !== this.state.run) return;
      if (job.kind === "share") {
        const link = fullLink({ name: "sign", entry: await tools.signShared(tools.chain, job.call, job.other, wallet) });
        this.tell({ type: "linked", run, link });
      } else if (job.kind === "approve" && review) {
        const link = href({ name: "approve", envelope: tools.textOf(await tools.addSignature(tools.chain, review.transaction, wallet)) });
        this.tell({ type: "linked", run, link });
      } else if (job.kind === "send" && review) {
        const signed = tools.readSigned(tools.chain, { ...(await tools.sign(tools.chain, review, wallet)), form: job.form });
        this.tell({ type: "signed", run, signed });
      }
    } finally {
      giveBack();
    }
  }

  /** Whether this account has signed something in another tab whose end is not known. */
  private async recall(): Promise<boolean> {
    const signed = await recallSigned(this.needs.chain, this.account);
    if (signed) this.tell({ type: "elsewhere", signed });
    return !!signed;
  }

  private inquire({ signed, after }: { signed: SignedCall; after: number }, about: (signed: SignedCall) => Promise<Event>): void {
    this.cancelQuestion();
    const number = this.question;
    const tell = (event: Event) => {
      if (number === this.question) this.tell(event);
    };
    this.timer = setTimeout(() => {
      about(signed).then(tell, () => tell({ type: "unreachable", hash: signed.hash }));
    }, after);
  }

  private cancelQuestion(): void {
    clearTimeout(this.timer);
    this.question++;
  }
}
