// How far a signed call is, and how it ended: the same in the dialog and in the banner.

import { agreementOf, describe } from "../contract/describe.js";
import { Button, Notice, ProblemText } from "../parts/basics.js";
import { SendOffer } from "../parts/SendLink.js";
import { href } from "../person/place.js";
import { useSession, type Session } from "../person/session.js";
import { XLM } from "../words/format.js";
import type { Words } from "../words/en.js";
import type { Signing } from "./signing.js";
import { ways, type End, type SignedCall, type State, type Way } from "./story.js";
import type { Receipt } from "./submit.js";

type Signed = Extract<State, { signed: SignedCall }>;

export function SigningStatus({ state, press }: { state: Signed; press: Signing["press"] }) {
  const session = useSession();
  const { words } = session;
  switch (state.at) {
    case "sending":
    case "sent":
      return <p>{words.sign.onItsWay}</p>;
    case "unknown":
      return (
        <Notice kind="warning">
          <p>{openEnd(state, session)}</p>
          {state.unreachable && <p>{words.sign.noAnswer}</p>}
          {state.open && <p>{words.sign.nothingElse}</p>}
        </Notice>
      );
    case "looking":
      return <p>{state.unreachable ? words.sign.noAnswer : words.sign.looking}</p>;
    case "ended":
      return <Ended signed={state.signed} end={state.end} press={press} />;
  }
}

/** Until when it may go through, as the person's own clock shows it. */
function openEnd({ signed: { validUntil, inLink }, lapses }: Extract<State, { at: "unknown" }>, { words, format, now }: Session): string {
  const onThisClock = BigInt(validUntil) - now + BigInt(Math.floor(Date.now() / 1000));
  if (BigInt(validUntil) < now) return words.sign.overdue(format.dateTime(onThisClock));
  if (inLink) return words.approval.mayStill(format.dateTime(onThisClock));
  return (lapses ? words.sign.lapsing : words.sign.mayStill)(format.clock(onThisClock));
}

function Ended({ signed, end, press }: { signed: SignedCall; end: End; press: Signing["press"] }) {
  const session = useSession();
  const { words, format } = session;
  const { call } = signed;
  switch (end.kind) {
    case "done":
      return (
        <Notice kind="success">
          <p>
            <strong>{words.done[call.method]}</strong>
          </p>
          <Told signed={signed} receipt={end.receipt} />
          <p>{words.sign.cost(format.amount(end.receipt.fee, XLM))}</p>
          <Transaction hash={signed.hash} />
          {end.receipt.agreement !== undefined && <SendOffer id={end.receipt.agreement} />}
          <AgreementLink agreement={agreementOf(call) ?? end.receipt.agreement} press={press} />
        </Notice>
      );
    case "failed":
      return (
        <Notice kind="problem">
          <p>{words.sign.notCarriedOut(format.amount(end.receipt.fee, XLM))}</p>
          <Transaction hash={signed.hash} />
        </Notice>
      );
    case "refused":
      return (
        <Notice kind="problem">
          <ProblemText problem={end.problem} words={words} />
        </Notice>
      );
    case "lapsed":
      return (
        <Notice kind="problem">
          <p>{words.sign.lapsed}</p>
        </Notice>
      );
    case "recorded":
    case "forgotten":
      return (
        <Notice kind={end.kind === "recorded" ? "success" : "warning"}>
          <p>{words.sign[end.kind]}</p>
          <Transaction hash={signed.hash} />
          <AgreementLink agreement={agreementOf(call)} press={press} />
        </Notice>
      );
  }
}

/** What was paid, to whom and for which agreement; or the call in words, if nothing was. */
function Told({ signed: { call }, receipt: { movements } }: { signed: SignedCall; receipt: Receipt }) {
  const session = useSession();
  const { words, format, token, me, nameOf } = session;
  const agreement = agreementOf(call);
  if (movements.length === 0) return <p>{describe(call, session)}</p>;
  return (
    <ul class="moves">
      {movements.map(({ from, to, amount }, place) => {
        const paid = format.amount(amount, token);
        const told = from === me ? words.sign.paidTo(paid, nameOf(to)) : words.sign.move(paid, nameOf(from), nameOf(to));
        return <li key={place}>{agreement === undefined ? told : words.sign.forAgreement(told, String(agreement))}</li>;
      })}
    </ul>
  );
}

function Transaction({ hash }: { hash: string }) {
  const { words, chain } = useSession();
  const { explorerUrl } = chain.network;
  return (
    <p class="detail" data-hash={hash}>
      {words.sign.transaction}{" "}
      {explorerUrl ? (
        <a href={explorerUrl + hash} target="_blank" rel="noreferrer">
          {hash}
        </a>
      ) : (
        hash
      )}
    </p>
  );
}

function AgreementLink({ agreement, press }: { agreement: bigint | undefined; press: Signing["press"] }) {
  const { words } = useSession();
  if (agreement === undefined) return null;
  return (
    <a href={href({ name: "agreement", id: agreement })} onClick={() => press("leave")}>
      {words.agreement.title(String(agreement))}
    </a>
  );
}

/** All that the person can do now. */
export function WayButtons({ state, press }: { state: State; press: Signing["press"] }) {
  const { words } = useSession();
  return (
    <div class="row end">
      {ways(state).map((way) => (
        <Button key={way} kind={way === "trust" ? "danger" : isPrimary(way, state) ? "primary" : "plain"} onClick={() => press(way)}>
          {label(way, state, words)}
        </Button>
      ))}
    </div>
  );
}

const isPrimary = (way: Way, state: State) => way === "confirm" || way === "retry" || (state.at === "ended" && state.end.kind === "done");

function label(way: Way, state: State, { sign, common, trust, approval }: Words): string {
  switch (way) {
    case "leave":
      if (state.at === "asking") return sign.stopWaiting;
      return state.at === "review" || state.at === "doubting" ? common.cancel : common.close;
    case "retry":
      return common.again;
    case "trust":
      return trust.accept;
    case "letLapse":
      return state.at === "unknown" && state.signed.inLink ? approval.letGo : sign.letLapse;
    case "confirm":
    case "show":
    case "sendAgain":
      return sign[way];
  }
}
