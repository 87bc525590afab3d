// A button for a transaction that calls no contract: first it says what that is and costs, then it is signed.

import type { Transaction } from "@stellar/stellar-sdk";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button, Facts, Notice, ProblemText } from "../parts/basics.js";
import { useSession } from "../person/session.js";
import { XLM } from "../words/format.js";
import { problemOf, type ContractProblem, type Problem } from "../words/problem.js";
import { signAndSend } from "./direct.js";

/** A transaction with the most that it costs; or what is to be said in its place, if this page cannot make it. */
export type Proposal = { transaction: Transaction; fee: bigint; explain: string } | { instead: ComponentChildren };

type State =
  | { at: "idle" | "reading" | "signing" }
  | { at: "shown"; proposal: Proposal }
  | { at: "done"; fee: bigint }
  | { at: "failed"; problem: Problem | ContractProblem };

interface Props {
  label: string;
  done: string;
  propose: () => Promise<Proposal>;
  onDone?: () => void;
}

export function DirectCall({ label, done, propose, onDone }: Props) {
  const { chain, wallet, words, format } = useSession();
  const [state, setState] = useState<State>({ at: "idle" });
  const fail = (error: unknown) => setState({ at: "failed", problem: problemOf(error) });
  const read = () => {
    setState({ at: "reading" });
    propose().then((proposal) => setState({ at: "shown", proposal }), fail);
  };
  const sign = ({ transaction }: Extract<Proposal, { fee: bigint }>) => {
    if (!wallet) return;
    setState({ at: "signing" });
    signAndSend(chain, transaction, wallet).then((fee) => {
      setState({ at: "done", fee });
      onDone?.();
    }, fail);
  };
  switch (state.at) {
    case "idle":
      return <Button onClick={read}>{label}</Button>;
    case "reading":
      return <p role="status">{words.common.loading}</p>;
    case "signing":
      return <p role="status">{words.sign.steps.signing}</p>;
    case "done":
      return (
        <>
          <Notice kind="success">
            <p>{done}</p>
            <p>{words.fees.cost(format.amount(state.fee, XLM))}</p>
          </Notice>
          <Button onClick={read}>{label}</Button>
        </>
      );
    case "failed":
      return (
        <Notice kind="problem">
          <ProblemText problem={state.problem} words={words} />
          <Button onClick={read}>{words.common.again}</Button>
        </Notice>
      );
    case "shown": {
      const { proposal } = state;
      if ("instead" in proposal) return <Notice kind="warning">{proposal.instead}</Notice>;
      return (
        <div class="stack">
          <p>{proposal.explain}</p>
          <Facts facts={[[words.sign.fee, words.fees.atMost(format.amount(proposal.fee, XLM))]]} />
          <div class="row">
            <Button onClick={() => setState({ at: "idle" })}>{words.common.cancel}</Button>
            <Button kind="primary" onClick={() => sign(proposal)}>
              {words.sign.confirm}
            </Button>
          </div>
        </div>
      );
    }
  }
}
