// What a wallet will be asked to sign, before it is; then how far it is, and how it ended.

import { useEffect, useRef } from "preact/hooks";
import { isNetworkCall } from "../contract/calls.js";
import { describe } from "../contract/describe.js";
import { depositText } from "../parts/AgreementCard.js";
import { Button, CopyButton, Facts, Notice, ProblemText, saveFile, WholeAddress } from "../parts/basics.js";
import { useSession } from "../person/session.js";
import type { Words } from "../words/en.js";
import { XLM, type Format } from "../words/format.js";
import { Doubts } from "./Doubts.js";
import { InWallet } from "./InWallet.js";
import { Moves, Parties, SharedParties } from "./Moves.js";
import { SIGNATURE_HOLDS } from "./holds.js";
import { OwedFacts } from "./OwedFacts.js";
import type { Signing } from "./signing.js";
import { SigningStatus, WayButtons } from "./SigningStatus.js";
import { shownIn, type Before, type Job, type Review, type State } from "./story.js";
import { TooDear } from "./TooDear.js";

export function SigningDialog({ signing: { state, press } }: { signing: Signing }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const session = useSession();
  const { words } = session;
  const open = shownIn(state) === "dialog";
  useEffect(() => {
    if (!open) dialog.current?.close();
    else if (dialog.current && !dialog.current.open) {
      dialog.current.showModal();
      // Reading begins at the top, and not at the first button, below all that is to be read.
      dialog.current.querySelector("h2")?.focus();
    }
  }, [open]);
  const call = "job" in state ? state.job.call : "signed" in state ? state.signed.call : undefined;
  const ended = state.at === "link" || (state.at === "ended" && state.end.kind === "done");
  return (
    // The platform closes a dialog by Escape or a gesture back, and at last does not ask whether it may.
    <dialog ref={dialog} aria-labelledby="signing-title" onClose={() => open && press("leave")}>
      {open && call && (
        <>
          <h2 id="signing-title" tabIndex={-1}>
            {title(state, words)}
          </h2>
          <div aria-live="polite" class="stack">
            {!ended && <p class="sentence">{describe(call, session)}</p>}
            <Body state={state} press={press} />
            <Steps state={state} />
          </div>
          <WayButtons state={state} press={press} />
        </>
      )}
    </dialog>
  );
}

function title(state: State, { sign, share, approval }: Words): string {
  switch (state.at) {
    case "link":
      return share.title;
    case "problem":
      return sign.failed;
    case "sending":
    case "sent":
      return sign.steps.sent;
    case "unknown":
    case "looking":
      return sign.openTitle;
    case "ended":
      if (state.end.kind === "recorded" || state.end.kind === "forgotten") return sign.openTitle;
      return state.end.kind === "done" ? sign.done : sign.failed;
    case "simulating":
      return state.job.kind === "submit" ? approval.send : sign.title;
    case "doubting":
    case "review":
    case "asking":
      return state.job.kind === "share" ? sign.firstTitle : sign.title;
    default:
      return sign.title;
  }
}

const order = ["simulating", "signing", "sent", "done"] as const;

function Steps({ state }: { state: State }) {
  const { words } = useSession();
  const now = stepOf(state);
  if (now === undefined) return null;
  return (
    <ol class="steps">
      {order.map((step, index) => (
        <li key={step} class={index < now || order[now] === "done" ? "past" : ""} aria-current={index === now ? "step" : undefined}>
          {words.sign.steps[step]}
        </li>
      ))}
    </ol>
  );
}

/** Which of the steps it is at, if it goes straight to the ledger. */
function stepOf(state: State): number | undefined {
  switch (state.at) {
    case "simulating":
      return state.job.kind === "send" ? 0 : undefined;
    case "review":
    case "asking":
      return state.job.kind === "send" ? 1 : undefined;
    case "sending":
    case "sent":
      return 2;
    case "ended":
      return state.end.kind === "done" ? 3 : undefined;
    default:
      return undefined;
  }
}

function Body({ state, press }: { state: State; press: Signing["press"] }) {
  const { words, wallet } = useSession();
  switch (state.at) {
    case "simulating":
      return <p class="loading">{words.common.loading}</p>;
    case "doubting":
    case "review":
      return (
        <>
          {state.at === "doubting" && <Doubts codes={state.codes} />}
          {state.review ? <ReviewFacts review={state.review} before={state.before} /> : <FirstFacts job={state.job} />}
        </>
      );
    case "asking":
      return wallet ? <InWallet wallet={wallet} /> : null;
    case "link":
      return <Link link={state.link} other={state.job.other} />;
    case "problem":
      return (
        <Notice kind="problem">
          <ProblemText problem={state.problem} words={words} />
        </Notice>
      );
    default:
      return "signed" in state ? <SigningStatus state={state} press={press} /> : null;
  }
}

function FirstFacts({ job }: { job: Job }) {
  const { words, format, me, nameOf } = useSession();
  return (
    <>
      {job.kind === "share" && (
        <>
          <OwedFacts call={job.call} />
          <SharedParties call={job.call} other={job.other} />
        </>
      )}
      <Facts
        facts={[
          [words.sign.fee, words.sign.noFee],
          [words.sign.account, me && <WholeAddress of={me} />],
        ]}
      />
      {job.kind === "share" && <p class="hint">{words.share.madeTo(nameOf(job.other), format.days(SIGNATURE_HOLDS))}</p>}
    </>
  );
}

function ReviewFacts({ review, before }: { review: Review; before: Before | undefined }) {
  const { call, transaction, verdict, parties, mayBeSigned } = review;
  const { words, format, me } = useSession();
  return (
    <>
      {before && (
        <Notice kind="warning">
          <p>{words.sign.again}</p>
          <p>{before.kind === "failed" ? words.sign.feePaid(format.amount(before.receipt.fee, XLM)) : words.sign.noFeePaid}</p>
        </Notice>
      )}
      <TooDear {...review} />
      <Moves verdict={verdict} />
      <OwedFacts call={call} />
      <Parties call={call} {...(mayBeSigned && { verdict, parties })} />
      <Facts
        facts={[
          call.method === "fund_agreement" && [words.deposit.title, depositText(call.args.deposit, words)],
          [words.sign.fee, feeText(review, words, format)],
          transaction.source !== me && [words.approval.account, <WholeAddress of={transaction.source} />],
          [words.sign.account, me && <WholeAddress of={me} />],
        ]}
      />
    </>
  );
}

/** The most that can be charged; of a call of the contract it is said what most of it is for. */
export const feeText = ({ call, price }: Review, { sign, fees }: Words, format: Format): string =>
  (isNetworkCall(call) ? fees.atMost : sign.feeOf)(format.fee(price.total));

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
