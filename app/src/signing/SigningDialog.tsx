// What a wallet will be asked to sign, before it is; then how far it is, and how it ended.

import { useEffect, useRef } from "preact/hooks";
import { describe } from "../contract/describe.js";
import { depositText } from "../parts/AgreementCard.js";
import { Button, CopyButton, Facts, Notice, ProblemText, saveFile } from "../parts/basics.js";
import { useSession } from "../person/session.js";
import { shortAddress, XLM } from "../words/format.js";
import { SIGNATURE_HOLDS } from "./share.js";
import type { Job, Signing, Stage } from "./signing.js";
import type { Receipt } from "./submit.js";

export function SigningDialog({ signing }: { signing: Signing }) {
  const { job, stage, close } = signing;
  const dialog = useRef<HTMLDialogElement>(null);
  const { words } = useSession();
  const open = stage !== undefined;
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  // A call that is being signed or was sent cannot be called back, so the dialog stays open.
  const closable = stage?.at !== "signing" && stage?.at !== "sent";
  return (
    <dialog ref={dialog} aria-labelledby="signing-title" onCancel={(event) => (closable ? close() : event.preventDefault())}>
      {stage && (
        <>
          <h2 id="signing-title">{title(stage, words)}</h2>
          <div aria-live="polite" class="stack">
            {job && stage.at !== "done" && stage.at !== "link" && <Sentence job={job} />}
            <Body stage={stage} job={job} />
            <Steps stage={stage} job={job} />
          </div>
          <Buttons stage={stage} signing={signing} />
        </>
      )}
    </dialog>
  );
}

function title(stage: Stage, words: ReturnType<typeof useSession>["words"]): string {
  switch (stage.at) {
    case "done":
      return words.sign.done;
    case "link":
      return words.share.title;
    case "failed":
      return words.sign.failed;
    case "reviewFirst":
      return words.sign.firstTitle;
    default:
      return words.sign.title;
  }
}

function Sentence({ job }: { job: Job }) {
  const session = useSession();
  return <p class="sentence">{describe(job.call, session)}</p>;
}

const order = ["simulating", "signing", "sent", "done"] as const;

function Steps({ stage, job }: { stage: Stage; job: Job | undefined }) {
  const { words } = useSession();
  if (stage.at === "failed" || stage.at === "link" || job?.kind === "share") return null;
  const at = stage.at === "review" ? "signing" : stage.at === "reviewFirst" ? "signing" : stage.at;
  const now = order.indexOf(at);
  return (
    <ol class="steps">
      {order.map((step, index) => (
        <li key={step} class={index < now || at === "done" ? "past" : ""} aria-current={index === now ? "step" : undefined}>
          {words.sign.steps[step]}
        </li>
      ))}
    </ol>
  );
}

function Body({ stage, job }: { stage: Stage; job: Job | undefined }) {
  const { words, format, wallet, me, nameOf } = useSession();
  switch (stage.at) {
    case "review":
      return <Review prepared={stage.prepared} again={stage.again} />;
    case "reviewFirst":
      return (
        <>
          <Facts
            facts={[
              [words.sign.fee, words.sign.noFee],
              [words.sign.account, me && `${nameOf(me)} (${shortAddress(me)})`],
            ]}
          />
          {job?.kind === "share" && <p class="hint">{words.share.madeTo(nameOf(job.other), format.days(SIGNATURE_HOLDS))}</p>}
        </>
      );
    case "signing":
      return wallet?.kind === "freighter" ? <p class="hint">{words.sign.inWallet}</p> : null;
    case "sent":
      return stage.resumed ? <p>{words.sign.resumed}</p> : null;
    case "done":
      return <Done receipt={stage.receipt} />;
    case "link":
      return <Link link={stage.link} other={job?.kind === "share" ? job.other : ""} />;
    case "failed":
      return (
        <Notice kind="problem">
          <ProblemText problem={stage.problem} words={words} />
        </Notice>
      );
    case "simulating":
      return <p class="loading">{words.common.loading}</p>;
  }
}

function Review({
  prepared: { call, movements, fee },
  again,
}: {
  prepared: Extract<Stage, { at: "review" }>["prepared"];
  again: boolean;
}) {
  const { words, format, token, me, nameOf } = useSession();
  const moves = movements.map(({ from, to, amount }) => (
    <li key={from + to}>{words.sign.move(format.amount(amount, token), nameOf(from), nameOf(to))}</li>
  ));
  return (
    <>
      {again && <Notice kind="warning">{words.sign.again}</Notice>}
      <Facts
        facts={[
          [words.sign.moves, moves.length > 0 ? <ul class="moves">{moves}</ul> : words.sign.nothingMoves],
          call.method === "fund_agreement" && [words.deposit.title, depositText(call.args.deposit, words)],
          [words.sign.fee, words.sign.feeOf(format.amount(fee.total, XLM), format.amount(fee.rent, XLM))],
          [words.sign.account, me && `${nameOf(me)} (${shortAddress(me)})`],
        ]}
      />
    </>
  );
}

function Done({ receipt: { method, fee, hash } }: { receipt: Receipt }) {
  const { words, format } = useSession();
  return (
    <Notice kind="success">
      <p>
        <strong>{words.done[method]}</strong>
      </p>
      <p data-hash={hash}>{words.sign.cost(format.amount(fee.total, XLM), format.amount(fee.rent, XLM))}</p>
    </Notice>
  );
}

function Link({ link, other }: { link: string; other: string }) {
  const { words, format, nameOf } = useSession();
  return (
    <>
      <p>{words.share.made}</p>
      <input
        class="link"
        readOnly
        value={link}
        aria-label={words.share.title}
        data-link={link}
        onFocus={(event) => event.currentTarget.select()}
      />
      <p class="hint">{words.share.madeTo(nameOf(other), format.days(SIGNATURE_HOLDS))}</p>
      <div class="row">
        <CopyButton text={link} kind="primary">
          {words.share.copy}
        </CopyButton>
        <Button onClick={() => saveFile("signature.txt", "text/plain", link)}>{words.share.file}</Button>
      </div>
    </>
  );
}

function Buttons({ stage, signing: { confirm, close, retry } }: { stage: Stage; signing: Signing }) {
  const { words } = useSession();
  switch (stage.at) {
    case "review":
    case "reviewFirst":
      return (
        <div class="row end">
          <Button onClick={close}>{words.common.cancel}</Button>
          <Button kind="primary" onClick={() => void confirm()}>
            {words.sign.confirm}
          </Button>
        </div>
      );
    case "failed":
      return (
        <div class="row end">
          <Button onClick={close}>{words.common.close}</Button>
          <Button kind="primary" onClick={() => void retry()}>
            {words.common.again}
          </Button>
        </div>
      );
    case "done":
    case "link":
    case "simulating":
      return (
        <div class="row end">
          <Button kind={stage.at === "done" ? "primary" : "plain"} onClick={close}>
            {words.common.close}
          </Button>
        </div>
      );
    default:
      return null;
  }
}
