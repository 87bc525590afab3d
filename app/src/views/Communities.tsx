// The communities that this person has opened here, and the question before a link adds another.

import type { ComponentChildren } from "preact";
import { Button, Notice, WholeAddress } from "../parts/basics.js";
import { Outside } from "../parts/Outside.js";
import { communities, openCommunity, stay, type Place } from "../person/place.js";
import type { Words } from "../words/en.js";
import { shortAddress } from "../words/format.js";

/** A list of them, in which one other than the current can be opened; nothing if there is no other. */
export function Communities({ words, current }: { words: Words; current?: string }) {
  const known = communities();
  if (known.every(({ contractId }) => contractId === current)) return null;
  return (
    <section class="card stack">
      <h2>{words.communities.yours}</h2>
      <ul class="links">
        {known.map((one) => (
          <li key={one.contractId + one.network}>
            {one.contractId === current ? (
              <strong>
                {one.name ?? shortAddress(one.contractId)}, {words.communities.current}
              </strong>
            ) : (
              <Button onClick={() => openCommunity(one)}>{one.name ?? shortAddress(one.contractId)}</Button>
            )}
            <span class="hint">
              {words.start.networks[one.network]} <WholeAddress of={one.contractId} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface Props {
  asked: Place;
  open: () => void;
  words: Words;
  picker: ComponentChildren;
}

export function OtherCommunity({ asked, open, words, picker }: Props) {
  const say = words.communities;
  const [mine] = communities();
  return (
    <Outside title={say.title} words={words} picker={picker}>
      <Notice kind="warning">
        <p>{say.asked}</p>
      </Notice>
      <section class="card stack">
        <p>{say.ask}</p>
        <WholeAddress of={asked.contractId} />
        <p class="hint">{words.start.networks[asked.network.name]}</p>
        <Button kind="primary" onClick={stay} hint={mine && (mine.name ?? shortAddress(mine.contractId))}>
          {say.stay}
        </Button>
        <Button onClick={open}>{say.open}</Button>
      </section>
    </Outside>
  );
}
