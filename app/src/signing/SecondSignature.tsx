// What another person signed and asks this one to sign: in words, made from what was signed.

import { describe, placeOf } from "../contract/describe.js";
import { Button, CopyButton, LoadedView, Notice } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { href } from "../person/place.js";
import { useSession } from "../person/session.js";
import { readShared, type Shared } from "./share.js";

export function SecondSignature({ entry }: { entry: string }) {
  const { chain, config, words, version } = useSession();
  const loaded = useLoad(() => readShared(chain, config.admin, entry), entry, version);
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
  const { words, format, now, me, nameOf, act } = session;
  const expired = now >= expiresAt;
  return (
    <section class="card stack">
      <p>{words.share.signedBy(nameOf(signer))}</p>
      <p class="sentence">{describe(call, session)}</p>
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
          {me === undefined && <Notice kind="info">{words.share.connect}</Notice>}
          {me !== undefined && me !== other && me !== signer && <Notice kind="info">{words.share.forOther(nameOf(other))}</Notice>}
        </>
      )}
    </section>
  );
}
