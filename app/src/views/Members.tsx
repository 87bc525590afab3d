// Who is registered here, as the ledger tells; and what the person calls them.

import { useState } from "preact/hooks";
import { readMembers, type Member } from "../chain/members.js";
import { Button, Facts, LoadedView, Notice, Person, saveFile } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { NameForm } from "../parts/naming.js";
import { mergeNames, readNamesFile, toNamesFile } from "../person/names.js";
import { href } from "../person/place.js";
import { useSession } from "../person/session.js";

export function Members() {
  const { chain, words, format, me } = useSession();
  const say = words.members;
  const loaded = useLoad(() => readMembers(chain), chain);
  return (
    <>
      <h1>{say.title}</h1>
      <p class="lead">{say.lead}</p>
      <LoadedView of={loaded} words={words}>
        {({ found, registered }) => (
          <>
            <p>{say.found(format.number(BigInt(found.length)), format.number(registered))}</p>
            {found.length === 0 && <p class="empty">{say.none}</p>}
            <ul class="agreements">
              {found.map((member) => (
                <li key={member.address} class="card stack" data-member={member.address}>
                  <MemberCard member={member} />
                  {member.address !== me && (
                    <div class="row">
                      <a href={href({ name: "offer", consumer: member.address })}>{say.offer}</a>
                    </div>
                  )}
                </li>
              ))}
            </ul>
            {BigInt(found.length) < registered && <p class="hint">{say.others}</p>}
          </>
        )}
      </LoadedView>
      <AddressBook />
    </>
  );
}

function MemberCard({ member: { address, meter, maxPowerKw, soldKwh, agreements } }: { member: Member }) {
  const { words, format, me } = useSession();
  const say = words.members;
  return (
    <>
      <h2>{address === me ? say.you : <Person address={address} />}</h2>
      <code class="address">{address}</code>
      <Facts
        facts={[
          [say.meter, meter ? say.plant(format.kw(maxPowerKw)) : say.noMeter],
          soldKwh > 0n && [words.history.sold, format.kwh(soldKwh)],
          agreements > 0n && [say.agreements, format.number(agreements)],
        ]}
      />
      {address !== me && <Rename address={address} />}
    </>
  );
}

function Rename({ address }: { address: string }) {
  const { words, nameOf } = useSession();
  const [open, setOpen] = useState(false);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{words.members.rename}</summary>
      {open && <NameForm address={address} label={words.members.name(nameOf(address))} onSaved={() => setOpen(false)} />}
    </details>
  );
}

/** All names that the person gave, for members and for others, and the file in which they travel. */
function AddressBook() {
  const { words, format, ownNames, setNames } = useSession();
  const say = words.names;
  const [opened, setOpened] = useState<{ added: number; differ: number } | "bad">();
  const openFile = async (file: File | undefined) => {
    if (!file) return;
    const names = readNamesFile(await file.text());
    if (!names) {
      setOpened("bad");
      return;
    }
    const merged = mergeNames(ownNames, names);
    setNames(merged.names);
    setOpened(merged);
  };
  const number = (value: number) => format.number(BigInt(value));
  return (
    <section class="card stack">
      <h2>{say.title}</h2>
      <p class="hint">{say.hint}</p>
      <ul class="links">
        {Object.entries(ownNames).map(([address, name]) => (
          <li key={address}>
            <strong>{name}</strong>
            <code class="address">{address}</code>
            <Rename address={address} />
          </li>
        ))}
      </ul>
      {Object.keys(ownNames).length > 0 && (
        <Button onClick={() => saveFile("names.json", "application/json", toNamesFile(ownNames))}>{say.save}</Button>
      )}
      <div class="field">
        <label for="names-file">{say.open}</label>
        <input id="names-file" type="file" accept=".json,application/json" onChange={(event) => void openFile(event.currentTarget.files?.[0])} />
      </div>
      {opened === "bad" && <Notice kind="problem">{say.bad}</Notice>}
      {opened && opened !== "bad" && <Notice kind="success">{say.opened(number(opened.added), number(opened.differ))}</Notice>}
    </section>
  );
}
