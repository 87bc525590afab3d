// Does what the machine in story.ts says is to be done, and tells it what came of it.

import { useEffect, useState } from "preact/hooks";
import type { Config } from "../../client/src/index.js";
import type { Chain } from "../chain/chain.js";
import { codesOf, type Codes } from "../chain/code.js";
import { acceptedWasm, doubtsOf } from "../contract/accepted.js";
import { clearDraft } from "../parts/draft.js";
import { fullLink } from "../person/place.js";
import { isTrusted, trust } from "../person/trust.js";
import type { Wallet } from "../wallet/wallet.js";
import { Problem, problemOf } from "../words/problem.js";
import { forget, keep, recallSigned, takeTurn, watchSigned } from "./kept.js";
import { saveLink } from "./outbox.js";
import { assembleFor, signShared } from "./share.js";
import { idle, next, shownIn, type Effect, type Event, type Job, type Review, type SignedCall, type State, type Way } from "./story.js";
import { ask, look, prepare, readSigned, send, sign, type Receipt } from "./submit.js";

interface Needs {
  chain: Chain;
  config: Config;
  wallet: Wallet | undefined;
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

  useEffect(() => {
    runner.open();
    return account === undefined ? undefined : watchSigned(needs.chain, account, (signed) => runner.tell({ type: "elsewhere", signed }));
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
    const { chain, wallet } = this.needs;
    this.tell({ type: "opened", signed: wallet && recallSigned(chain, wallet.address) });
  }

  tell(event: Event): void {
    const { state, effects } = next(this.state, event);
    this.state = state;
    this.show(state);
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: Effect): void {
    const { chain, config, wallet, refresh, onDone } = this.needs;
    switch (effect.do) {
      case "simulate": {
        const { run } = effect;
        Promise.all([this.simulate(effect.job), this.doubted()]).then(
          ([review, doubted]) => this.tell({ type: "prepared", run, review, doubted }),
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
        this.recall();
        return;
      case "keep":
        if (wallet) keep(chain, wallet.address, effect.signed);
        return;
      case "forget":
        this.cancelQuestion();
        if (wallet) forget(chain, wallet.address, effect.signed);
        return;
      case "send": {
        const { hash } = effect.signed;
        send(chain, effect.signed).then(
          (event) => this.tell(event),
          () => this.tell({ type: "unsent", hash }),
        );
        return;
      }
      case "ask":
        this.inquire(effect, (signed) => ask(chain, config.token_contract, signed));
        return;
      case "look":
        this.inquire(effect, async (signed) => ({ type: "found", hash: signed.hash, end: await look(chain, config.token_contract, signed) }));
        return;
      case "saveLink":
        saveLink(chain.contractId, effect.job, effect.link);
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

  private async simulate(job: Job): Promise<Review | undefined> {
    const { chain, config, wallet } = this.needs;
    if (!wallet) throw new Problem("noWallet");
    await wallet.check();
    if (job.kind === "send") return prepare(chain, config, job.call, wallet.address, job.signed);
    await assembleFor(chain, job.call, job.other);
    return undefined;
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
    const giveBack = await takeTurn(chain, wallet.address);
    if (!giveBack) throw new Problem("otherTab");
    this.giveTurnBack = giveBack;
    try {
      // What was left while the turn was taken opens no wallet.
      if (run !== this.state.run || this.recall()) return;
      if (job.kind === "share") {
        const link = fullLink({ name: "sign", entry: await signShared(chain, job.call, job.other, wallet) });
        this.tell({ type: "linked", run, link });
      } else if (review) {
        const signed = readSigned(chain, { ...(await sign(chain, review, wallet)), form: job.form });
        this.tell({ type: "signed", run, signed });
      }
    } finally {
      giveBack();
    }
  }

  /** Whether this account has signed something in another tab whose end is not known. */
  private recall(): boolean {
    const { chain, wallet } = this.needs;
    const signed = wallet && recallSigned(chain, wallet.address);
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
