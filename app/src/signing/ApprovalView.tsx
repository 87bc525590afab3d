// A call that needs several signatures: what it does, who has signed, and what can be done now.

import { useState } from "preact/hooks";
import { describe } from "../contract/describe.js";
import { Button, CopyButton, Facts, LoadedView, Notice, Person, ProblemText } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { href } from "../person/place.js";
import { useSession } from "../person/session.js";
import { XLM } from "../words/format.js";
import { problemOf, type ContractProblem, type Problem } from "../words/problem.js";
import { readApproval, sendApproved, sign, type Approval } from "./approvals.js";
import { InWallet } from "./InWallet.js";

export function ApprovalView({ envelope }: { envelope: string }) {
  const { chain, config, words, version } = useSession();
  const [round, setRound] = useState(0);
  const loaded = useLoad(() => readApproval(chain, config, envelope), envelope, `${version}/${round}`);
  return (
    <>
      <h1>{words.approval.title}</h1>
      <LoadedView of={loaded} words={words}>
        {(approval) => <Card approval={approval} reload={() => setRound(round + 1)} />}
      </LoadedView>
    </>
  );
}

function Card({ approval, reload }: { approval: Approval; reload: () => void }) {
  const session = useSession();
  const { words, format, token, nameOf } = session;
  const { call, account, transaction, prepared, expiresAt, signers, signed, weight, needed, state } = approval;
  const moves = (prepared?.verdict.moves ?? []).map(({ from, to, amount }) => (
    <li key={from + to}>{words.sign.move(format.amount(amount, token), nameOf(from), nameOf(to))}</li>
  ));
  return (
    <section class="card stack">
      <p class="sentence">{describe(call, session)}</p>
      <Facts
        facts={[
          prepared && [words.sign.moves, moves.length > 0 ? <ul class="moves">{moves}</ul> : words.sign.nothingMoves],
          [words.sign.fee, words.approval.feeAtMost(format.amount(BigInt(transaction.fee), XLM))],
          [words.approval.account, <code class="address">{account}</code>],
          state === "open" && [words.approval.until, format.dateTime(expiresAt)],
        ]}
      />
      <h2>{words.approval.signers}</h2>
      <ul class="links">
        {signers.map((signer) => (
          <li key={signer.address}>
            <Person address={signer.address} />{" "}
            <span class={signed.has(signer.address) ? "tag good" : "tag"}>
              {signed.has(signer.address) ? words.approval.hasSigned : words.approval.hasNotSigned}
            </span>{" "}
            <span class="hint">{words.approval.weight(format.number(BigInt(signer.weight)))}</span>
          </li>
        ))}
      </ul>
      <p>{words.approval.sum(format.number(BigInt(weight)), format.number(BigInt(needed)))}</p>
      {state === "open" ? (
        <Open approval={approval} reload={reload} />
      ) : (
        <Notice kind={state === "done" ? "success" : "problem"}>
          <p>
            {state === "done" && `${words.done[call.method]} `}
            {words.approval.states[state]}
          </p>
        </Notice>
      )}
    </section>
  );
}

function Open({ approval, reload }: { approval: Approval; reload: () => void }) {
  const { chain, words, wallet } = useSession();
  const [doing, setDoing] = useState<"signing" | "sending">();
  const [problem, setProblem] = useState<Problem | ContractProblem>();
  const { signers, signed, weight, needed } = approval;
  const mine = signers.some(({ address }) => address === wallet?.address);
  const enough = weight >= needed;

  const run = async (what: "signing" | "sending", step: () => Promise<void>) => {
    setDoing(what);
    setProblem(undefined);
    try {
      await step();
    } catch (error) {
      setProblem(problemOf(error));
    }
    setDoing(undefined);
  };
  const add = () =>
    run("signing", async () => {
      if (!wallet) return;
      // The new link takes the place of this one, so that going back does not lose the signature.
      location.replace(href({ name: "approve", envelope: await sign(chain, approval, wallet) }));
    });
  const send = () => run("sending", () => sendApproved(chain, approval).finally(reload));

  if (doing)
    return (
      <div role="status" class="stack">
        <p>{doing === "signing" ? words.sign.steps.signing : words.sign.steps.sent}</p>
        {doing === "signing" && wallet && <InWallet wallet={wallet} />}
      </div>
    );
  return (
    <>
      {problem && (
        <Notice kind="problem">
          <ProblemText problem={problem} words={words} />
        </Notice>
      )}
      {enough ? (
        <Button kind="primary" onClick={() => void send()}>
          {words.approval.send}
        </Button>
      ) : !wallet ? (
        <Notice kind="info">{words.share.connect}</Notice>
      ) : !mine ? (
        <Notice kind="info">{words.approval.notYours}</Notice>
      ) : (
        !signed.has(wallet.address) && (
          <Button kind="primary" onClick={() => void add()}>
            {words.sign.confirm}
          </Button>
        )
      )}
      {signed.size > 0 && !enough && (
        <>
          <p>{words.approval.passOn}</p>
          <CopyButton text={location.href}>{words.share.copy}</CopyButton>
        </>
      )}
    </>
  );
}
