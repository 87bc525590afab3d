// What another person signed and asks this one to sign: in words, made from what was signed.

import { useEffect, useRef } from "preact/hooks";
import { withSdk } from "../chain/sdk.js";
import { describe, placeOf } from "../contract/describe.js";
import { Button, Connecting, CopyButton, LoadedView, Notice } from "../parts/basics.js";
import { useDone } from "../parts/done.js";
import { useLoad } from "../parts/load.js";
import { forgetWaiting, keepWaiting } from "../person/inbox.js";
import { href } from "../person/place.js";
import { useSession } from "../person/session.js";
import { SharedParties } from "./Moves.js";
import { OwedFacts } from "./OwedFacts.js";
import { readShared, type Shared } from "./share.js";

export function SecondSignature({ entry }: { entry: string }) {
  const { chain, config, words, version, me } = useSession();
  const sent = useRef(false);
  const loaded = useLoad(() => readShared(withSdk(chain), config.admin, entry), entry, version);
  const shared = loaded.value;
  // What asks for this person's signature waits on Home until it is sent.
  useEffect(() => {
    if (!shared || shared.other !== me || sent.current) return;
    const { call, signer, other, expiresAt } = shared;
    keepWaiting({ contractId: chain.contractId, other, entry, method: call.method, signer, until: Number(expiresAt) });
  }, [shared, me]);
  const forget = () => {
    sent.current = true;
    forgetWaiting(entry);
  };
  useDone("register_meter", forget);
  useDone("resolve_dispute", forget);
  return (
    <>
      <h1>{words.share.title}</h1>
      <LoadedView of={loaded} words={words}>
        {(shared) => <SharedCallCard {...shared} />}
      </LoadedView>
    </>
  );
}

function AgreementLink({ transactionId }: { transactionId: bigint }) {
  const { words } = useSession();
  const { agreement } = placeOf(transactionId);
  return <a href={href({ name: "agreement", id: agreement })}>{words.agreement.title(String(agreement))}</a>;
}

function SharedCallCard({ call, signer, other, expiresAt, entry }: Shared) {
  const session = useSession();
  const { words, format, now, me, connecting, nameOf, act } = session;
  const expired = now >= expiresAt;
  return (
    <section class="card stack">
      <p>{me === signer ? words.share.signedByYou : words.share.signedBy(nameOf(signer))}</p>
      <p class="sentence">{describe(call, session)}</p>
      <OwedFacts call={call} />
      <SharedParties call={call} other={signer} />
      {call.method === "resolve_dispute" && <AgreementLink transactionId={call.args.transaction_id} />}
      {expired ? (
        <Notice kind="problem">{words.share.expired}</Notice>
      ) : (
        <>
          <p class="hint">{words.share.until(format.dateTime(expiresAt))}</p>
          {me === other && (
            <Button kind="primary" onClick={() => act({ kind: "send", call, signed: entry })}>
              {words.share.review}
            </Button>
          )}
          {me === signer && (
            <>
              <p>{words.share.yours(nameOf(other))}</p>
              <CopyButton text={location.href}>{words.share.copy}</CopyButton>
            </>
          )}
          {me === undefined && (connecting ? <Connecting /> : <Notice kind="info">{words.share.connect}</Notice>)}
          {me !== undefined && me !== other && me !== signer && <Notice kind="info">{words.share.forOther(nameOf(other, "dative"))}</Notice>}
        </>
      )}
    </section>
  );
}
