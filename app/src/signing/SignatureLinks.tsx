// Second signatures: the links that this person made, and where a file with somebody else's is opened.

import { useState } from "preact/hooks";
import { placeOf } from "../contract/describe.js";
import { Notice } from "../parts/basics.js";
import { href, readView } from "../person/place.js";
import { useSession } from "../person/session.js";
import { savedLinks } from "./outbox.js";

export function SignatureLinks() {
  const { chain, words, format, now, nameOf } = useSession();
  const links = savedLinks(chain.contractId, now);
  const compromise = (id: bigint, kwh: bigint) => {
    const { agreement, delivery } = placeOf(id);
    return `${words.agreement.title(String(agreement))}, ${words.agreement.delivery(String(delivery))}, ${format.kwh(kwh)}`;
  };
  const [isOther, setIsOther] = useState(false);
  const openFile = async (file: File | undefined) => {
    const hash = (await file?.text())?.trim().match(/#\/sign\/.*$/)?.[0];
    const found = hash !== undefined && readView(hash).name === "sign";
    setIsOther(file !== undefined && !found);
    if (found) location.hash = hash;
  };
  return (
    <section class="card stack">
      <h2>{words.share.title}</h2>
      <div class="field">
        <label for="signature-file">{words.share.openFileHint}</label>
        <input
          id="signature-file"
          type="file"
          accept=".txt,text/plain"
          onChange={(event) => void openFile(event.currentTarget.files?.[0])}
        />
        {isOther && (
          <Notice kind="problem">
            <p>{words.share.otherFile}</p>
          </Notice>
        )}
      </div>
      {links.length > 0 && (
        <>
          <h3>{words.share.outbox}</h3>
          <ul class="links">
            {links.map(({ link, other, method, signedAt, transaction, kwh }) => (
              <li key={link}>
                <a href={new URL(link).hash || href({ name: "home" })}>
                  {method === "register_meter" ? words.admin.certify : words.deliveryActions.compromise},{" "}
                  {transaction !== undefined && kwh !== undefined && `${compromise(BigInt(transaction), BigInt(kwh))}, `}
                  {nameOf(other)}, {format.date(BigInt(signedAt))}
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
