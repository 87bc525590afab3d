// Connects a wallet: Freighter, or a key in this browser where money is worth nothing.

import { useState } from "preact/hooks";
import { Button, Notice, ProblemText } from "../parts/basics.js";
import { useSession } from "../person/session.js";
import { makeBrowserKey } from "../wallet/browserKey.js";
import { connectFreighter } from "../wallet/freighter.js";
import { problemOf, type ContractProblem, type Problem } from "../words/problem.js";

export function Connect() {
  const { chain, words, connect } = useSession();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | ContractProblem>();
  const connectBy = async (open: typeof connectFreighter) => {
    setBusy(true);
    setProblem(undefined);
    try {
      connect(await open(chain.network));
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
    }
  };
  return (
    <section class="card stack">
      <h2>{words.wallet.title}</h2>
      <p>{words.wallet.lead}</p>
      {problem && (
        <Notice kind="problem">
          <ProblemText problem={problem} words={words} />
        </Notice>
      )}
      {busy && <p role="status">{words.wallet.connecting}</p>}
      <Button kind="primary" onClick={() => void connectBy(connectFreighter)}>
        {words.wallet.freighter}
      </Button>
      {chain.network.friendbotUrl && (
        <Button onClick={() => void connectBy(makeBrowserKey)} hint={words.wallet.browserHint}>
          {words.wallet.browser}
        </Button>
      )}
    </section>
  );
}
