// Names for addresses: given by the person, or brought by a link and kept only if the person says so.

import { useState } from "preact/hooks";
import { isAddress, namesake, withName } from "../person/names.js";
import { useSession } from "../person/session.js";
import { isolated } from "../words/format.js";
import { Button, Field, Form, Notice, WholeAddress } from "./basics.js";

/** A form that gives an address a name. */
export function NameForm({ address, label, onSaved }: { address: string; label: string; onSaved?: () => void }) {
  const { words, ownNames, setNames } = useSession();
  const [name, setName] = useState(ownNames[address] ?? "");
  const save = (event: Event) => {
    event.preventDefault();
    setNames(withName(ownNames, address, name));
    onSaved?.();
  };
  return (
    <Form class="stack" onSubmit={save}>
      <Field label={label} hint={words.agreement.nameHint} value={name} onInput={setName} />
      <code class="address">{address}</code>
      <Button submit>{words.agreement.save}</Button>
    </Form>
  );
}

/** Asks whether the name that a link gives an address shall be kept. */
export function NameFromLink({ address, called }: { address: string; called: string | undefined }) {
  const { chain, config, words, me = "", ownNames, setNames } = useSession();
  const [dismissed, setDismissed] = useState(false);
  if (!called || dismissed || address === me || !isAddress(address) || ownNames[address] === called) return null;
  const { you, admin, contractName } = words.common;
  // What the page itself calls somebody is taken, too.
  const known = { [chain.contractId]: contractName, [config.admin]: admin, [me]: you, ...ownNames };
  const shown = isolated(called);
  return (
    <Notice kind="info">
      <p>{words.names.called(shown)}</p>
      <WholeAddress of={address} />
      {namesake(known, address, called) && (
        <p>
          <strong>{words.names.taken(shown)}</strong>
        </p>
      )}
      <div class="row">
        <Button onClick={() => setNames(withName(ownNames, address, called))}>{words.names.keep(shown)}</Button>
        <Button onClick={() => setDismissed(true)}>{words.names.dismiss}</Button>
      </div>
    </Notice>
  );
}
