// Second signatures: the links that this person made, and where a file with somebody else's is opened.

import { placeOf } from "../contract/describe.js";
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
  const openFile = async (file: File | undefined) => {
    const hash = (await file?.text())?.trim().match(/#\/sign\/.*$/)?.[0];
    if (hash && readView(hash).name === "sign") location.hash = hash;
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
