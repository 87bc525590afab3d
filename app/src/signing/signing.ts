// The stages that a call goes through, from a button to the ledger.

import type { xdr } from "@stellar/stellar-sdk";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Chain } from "../chain/chain.js";
import type { Call } from "../contract/calls.js";
import { fullLink } from "../person/place.js";
import type { Wallet } from "../wallet/wallet.js";
import { Problem, problemOf, type ContractProblem } from "../words/problem.js";
import { assembleFor, signShared, type SharedCall } from "./share.js";
import { pendingCall, prepare, resend, send, type Prepared, type Receipt } from "./submit.js";

/** A call to sign and send, perhaps with the first person's signature; or one to sign first, for another person to send. */
export type Job = { kind: "send"; call: Call; signed?: xdr.SorobanAuthorizationEntry } | { kind: "share"; call: SharedCall; other: string };

export type Stage =
  | { at: "simulating" }
  | { at: "review"; prepared: Prepared; again: boolean }
  | { at: "reviewFirst" }
  | { at: "signing" }
  | { at: "sent"; resumed: boolean }
  | { at: "done"; receipt: Receipt }
  | { at: "link"; link: string }
  | { at: "failed"; problem: Problem | ContractProblem };

interface Needs {
  chain: Chain;
  tokenId: string;
  wallet: Wallet | undefined;
  onDone: () => void;
  onLink: (job: Extract<Job, { kind: "share" }>, link: string) => void;
}

export function useSigning({ chain, tokenId, wallet, onDone, onLink }: Needs) {
  const [job, setJob] = useState<Job>();
  const [stage, setStage] = useState<Stage>();

  // When the person has closed the dialog, what is still under way is not shown any more.
  const run = useRef(0);
  const showWhileOpen = () => {
    const mine = run.current;
    return (stage: Stage) => {
      if (run.current === mine) setStage(stage);
    };
  };
  type Show = ReturnType<typeof showWhileOpen>;

  const showFailure = (show: Show) => (error: unknown) => show({ at: "failed", problem: problemOf(error) });
  const finish = (show: Show, receipt: Receipt) => {
    show({ at: "done", receipt });
    onDone();
  };

  /** A call that was sent before and whose end is not known comes first, so that nothing is sent twice. */
  async function resume(show: Show): Promise<boolean> {
    const pending = pendingCall(chain);
    if (!pending) return false;
    show({ at: "sent", resumed: true });
    finish(show, await resend(chain, pending));
    return true;
  }

  async function simulate(show: Show, job: Job, again = false): Promise<void> {
    show({ at: "simulating" });
    if (!wallet) throw new Problem("noWallet");
    await wallet.check();
    if (job.kind === "share") {
      await assembleFor(chain, job.call, job.other);
      show({ at: "reviewFirst" });
    } else {
      show({ at: "review", prepared: await prepare(chain, tokenId, job.call, wallet.address, job.signed), again });
    }
  }

  async function start(job: Job): Promise<void> {
    run.current++;
    const show = showWhileOpen();
    setJob(job);
    try {
      if (!(await resume(show))) await simulate(show, job);
    } catch (error) {
      showFailure(show)(error);
    }
  }

  async function confirm(): Promise<void> {
    if (!job || !wallet) return;
    const show = showWhileOpen();
    try {
      if (stage?.at === "reviewFirst" && job.kind === "share") {
        show({ at: "signing" });
        const link = fullLink({ name: "sign", entry: await signShared(chain, job.call, job.other, wallet) });
        onLink(job, link);
        show({ at: "link", link });
      } else if (stage?.at === "review") {
        show({ at: "signing" });
        finish(show, await send(chain, stage.prepared, wallet, () => show({ at: "sent", resumed: false })));
      }
    } catch (error) {
      const problem = problemOf(error);
      // The ledger has changed since the simulation. It simulates again by itself, but only once, and shows what the call does now.
      const again = stage?.at === "review" && !stage.again && problem instanceof Problem && problem.kind === "stale";
      if (again) simulate(show, job, true).catch(showFailure(show));
      else showFailure(show)(problem);
    }
  }

  useEffect(() => {
    const show = showWhileOpen();
    resume(show).catch(showFailure(show));
  }, [chain]);

  return {
    job,
    stage,
    start,
    confirm,
    retry: async () => {
      const show = showWhileOpen();
      if (job) await start(job);
      else await resume(show).catch(showFailure(show));
    },
    close: () => {
      run.current++;
      setJob(undefined);
      setStage(undefined);
    },
  };
}

export type Signing = ReturnType<typeof useSigning>;
