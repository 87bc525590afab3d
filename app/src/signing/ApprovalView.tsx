// A call that needs several signatures: what it does, who has signed, and what can be done now.

import { withSdk } from "../chain/sdk.js";
import { describe } from "../contract/describe.js";
import { Button, Connecting, CopyButton, Facts, LoadedView, Notice, Person, WholeAddress } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { useSession } from "../person/session.js";
import { readApproval, waitsFor, type Approval } from "./approvals.js";
import { Moves } from "./Moves.js";
import { OwedFacts } from "./OwedFacts.js";
import { feeText } from "./SigningDialog.js";
import { TooDear } from "./TooDear.js";

export function ApprovalView({ envelope }: { envelope: string }) {
  const { chain, config, words, version } = useSession();
  const loaded = useLoad(() => readApproval(withSdk(chain), config, envelope), envelope, version);
  return (
    <>
      <h1>{words.approval.title}</h1>
      <LoadedView of={loaded} words={words}>
        {(approval) => <Card approval={approval} envelope={envelope} />}
      </LoadedView>
    </>
  );
}

function Card({ approval, envelope }: { approval: Approval; envelope: string }) {
  const session = useSession();
  const { words, format } = session;
  const { call, account, review, expiresAt, signers, signed, weight, needed, state } = approval;
  return (
    <section class="card stack">
      <p class="sentence">{describe(call, session)}</p>
      {review && (
        <>
          <TooDear {...review} />
          <Moves verdict={review.verdict} />
          <OwedFacts call={call} />
        </>
      )}
      <Facts
        facts={[
          review && [words.sign.fee, feeText(review, words, format)],
          [words.approval.account, <WholeAddress of={account} />],
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
        review?.mayBeSigned && <Open approval={approval} envelope={envelope} />
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

function Open({ approval, envelope }: { approval: Approval; envelope: string }) {
  const { words, me, act, connecting } = useSession();
  const { call, signers, signed, weight, needed } = approval;
  // What is begun as nobody would be left when the wallet is there.
  if (connecting) return <Connecting />;
  if (weight >= needed) {
    return (
      <Button kind="primary" onClick={() => act({ kind: "submit", call, envelope })}>
        {words.approval.send}
      </Button>
    );
  }
  return (
    <>
      {waitsFor(approval, me) && (
        <Button kind="primary" onClick={() => act({ kind: "approve", call, envelope })}>
          {words.share.review}
        </Button>
      )}
      {me === undefined && <Notice kind="info">{words.share.connect}</Notice>}
      {me !== undefined && !signers.some(({ address }) => address === me) && <Notice kind="info">{words.approval.notYours}</Notice>}
      {signed.size > 0 && (
        <>
          <p>{words.approval.passOn}</p>
          <CopyButton text={location.href}>{words.share.copy}</CopyButton>
        </>
      )}
    </>
  );
}
