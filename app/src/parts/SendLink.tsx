// A link for a neighbour: to copy, to share, or to photograph.

import { readOwnName } from "../person/names.js";
import { fullLink } from "../person/place.js";
import { useSession } from "../person/session.js";
import { Button, CopyButton } from "./basics.js";
import { QrCode } from "./QrCode.js";

/** An offer, to send to its buyer. */
export function SendOffer({ id }: { id: bigint }) {
  const { words } = useSession();
  return (
    <>
      <p>{words.send.made(String(id))}</p>
      <SendLink link={fullLink({ name: "agreement", id, called: readOwnName() })} title={words.agreement.title(String(id))} />
    </>
  );
}

export function SendLink({ link, title }: { link: string; title: string }) {
  const { words } = useSession();
  const say = words.send;
  const share = () => navigator.share({ title, url: link }).catch(() => undefined);
  return (
    <>
      <p>{say.lead}</p>
      <QrCode text={link} label={say.qr} />
      <code class="link" data-link={link}>
        {link}
      </code>
      <div class="row">
        <CopyButton text={link} kind="primary">
          {say.copy}
        </CopyButton>
        {"share" in navigator && <Button onClick={() => void share()}>{say.share}</Button>}
      </div>
    </>
  );
}
