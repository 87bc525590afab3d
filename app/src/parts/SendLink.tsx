// A link for a neighbour: to copy, to share, or to photograph.

import { useEffect, useState } from "preact/hooks";
import { readOwnName } from "../person/names.js";
import { fullLink } from "../person/place.js";
import { useSession } from "../person/session.js";
import { Button, CopyButton } from "./basics.js";

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

/** What draws codes is loaded when the first is shown. */
function QrCode({ text, label }: { text: string; label: string }) {
  const [code, setCode] = useState<{ size: number; data: boolean[][] }>();
  useEffect(() => {
    let current = true;
    import("uqr").then(
      ({ encode }) => current && setCode(encode(text, { border: 4 })),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [text]);
  if (!code) return null;
  const path = code.data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
  // Dark on light in either scheme: cameras expect that.
  return (
    <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${code.size} ${code.size}`} shape-rendering="crispEdges">
      <rect width={code.size} height={code.size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
