// A person's agreements, as buyer and as seller, the newest first.

import { useEffect, useState } from "preact/hooks";
import type { AgreementEntry } from "../../client/src/index.js";
import { AgreementCard } from "../parts/AgreementCard.js";
import { Button, LoadedView, NoAccount } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { useSession } from "../person/session.js";

const PAGE = 10;

type Filter = "all" | "buying" | "selling";

export function Agreements() {
  const { words, me } = useSession();
  return (
    <>
      <h1>{words.agreements.title}</h1>
      {me ? <List me={me} /> : <NoAccount />}
    </>
  );
}

function List({ me }: { me: string }) {
  const { chain, words, format, version } = useSession();
  const [filter, setFilter] = useState<Filter>("all");
  const [shown, setShown] = useState(PAGE);
  useEffect(() => setShown(PAGE), [me]);
  const loaded = useLoad(
    async () => {
      const prosumer = await chain.prosumer(me);
      if (!prosumer?.last_agreement) return { entries: [], more: false, unknown: !prosumer };
      const entries: AgreementEntry[] = [];
      while (entries.length < shown) {
        const page = await chain.agreementPage(me, entries.at(-1)?.agreement.agreement_id ?? null, PAGE);
        entries.push(...page);
        if (page.length < PAGE) return { entries, more: false, unknown: false };
      }
      return { entries, more: true, unknown: false };
    },
    me,
    `${version} ${shown}`,
  );
  const fits = ({ agreement }: AgreementEntry) => filter === "all" || (filter === "buying") === (agreement.consumer === me);
  return (
    <>
      <fieldset class="choice">
        <legend class="visually-hidden">{words.agreements.filter}</legend>
        {(["all", "buying", "selling"] as const).map((name) => (
          <label key={name}>
            <input type="radio" name="filter" checked={filter === name} onChange={() => setFilter(name)} />
            <span>{words.agreements[name]}</span>
          </label>
        ))}
      </fieldset>
      <LoadedView of={loaded} words={words}>
        {({ entries, more, unknown }) => (
          <>
            <ul class="agreements">
              {entries.filter(fits).map((entry) => (
                <li key={String(entry.agreement.agreement_id)}>
                  <AgreementCard entry={entry} linked />
                </li>
              ))}
            </ul>
            {!entries.some(fits) && more && <p class="empty">{words.agreements.noneAmong(format.number(BigInt(entries.length)))}</p>}
            {!entries.some(fits) && !more && (
              <div class="empty">
                <p>{unknown ? words.agreements.register : words.agreements.none}</p>
                {!unknown && <p class="hint">{words.agreements.noneHint}</p>}
              </div>
            )}
            {more && <Button onClick={() => setShown(shown + PAGE)}>{words.common.more}</Button>}
          </>
        )}
      </LoadedView>
    </>
  );
}
