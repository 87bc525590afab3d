// Which contract? Asked once, and remembered.

import { StrKey } from "@stellar/stellar-sdk";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { networks } from "../chain/networks.js";
import { typedAddress } from "../parts/addresses.js";
import { Button, Field, Form, Notice } from "../parts/basics.js";
import { Outside } from "../parts/Outside.js";
import { canRemember } from "../person/memory.js";
import { openCommunity } from "../person/place.js";
import type { Words } from "../words/en.js";

interface Props {
  words: Words;
  picker: ComponentChildren;
  /** What stands beneath the form. */
  children?: ComponentChildren;
}

export function ContractPicker({ words, picker, children }: Props) {
  const { start } = words;
  const [contract, setContract] = useState("");
  const [network, setNetwork] = useState(networks[0]?.name ?? "");
  const [bad, setBad] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    const contractId = typedAddress(contract);
    if (StrKey.isValidContract(contractId)) openCommunity({ contractId, network, rpc: null });
    else setBad(true);
  };
  return (
    <Outside title={start.title} words={words} picker={picker}>
      <p class="lead">{start.lead}</p>
      {!canRemember() && <Notice kind="info">{words.wallet.forgets}</Notice>}
      <Form class="card stack" onSubmit={submit}>
        <h2>{start.form}</h2>
        <Field
          label={start.contract}
          value={contract}
          hint={start.contractHint}
          problem={bad ? start.bad : undefined}
          onInput={(value) => {
            setContract(value);
            setBad(false);
          }}
        />
        <div class="field">
          <label for="network">{start.network}</label>
          <select id="network" value={network} onChange={(event) => setNetwork(event.currentTarget.value)}>
            {networks.map(({ name }) => (
              <option key={name} value={name}>
                {start.networks[name]}
              </option>
            ))}
          </select>
        </div>
        <Button kind="primary" submit>
          {start.open}
        </Button>
      </Form>
      {children}
    </Outside>
  );
}
