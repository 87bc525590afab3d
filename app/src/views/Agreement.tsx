// One agreement with its deliveries, and what this person can do about them now.

import { useState } from "preact/hooks";
import type { AgreementEntry, Prosumer } from "../../client/src/index.js";
import { roleOf, sellerMatters, type Delivery } from "../contract/rules.js";
import { AgreementActions } from "../parts/AgreementActions.js";
import { AgreementCard } from "../parts/AgreementCard.js";
import { DeliveryItem } from "../parts/DeliveryItem.js";
import { Button, Field, LoadedView } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { href } from "../person/place.js";
import { useSession } from "../person/session.js";

interface AgreementWithDeliveries {
  entry: AgreementEntry;
  deliveries: Delivery[];
  seller: Prosumer | undefined;
}

export function Agreement({ id }: { id: bigint }) {
  const { chain, words, version, me, config } = useSession();
  const loaded = useLoad<AgreementWithDeliveries>(
    async () => {
      const entry = await chain.agreement(id);
      const [deliveries, seller] = await Promise.all([
        entry.state.transactions > 0n ? chain.deliveries(id) : [],
        sellerMatters(entry, roleOf(entry, me, config.admin)) ? chain.prosumer(entry.agreement.provider) : undefined,
      ]);
      return { entry, deliveries, seller };
    },
    `${id} ${me}`,
    version,
  );
  return (
    <>
      <a class="back" href={href({ name: "agreements" })}>
        {words.common.back}
      </a>
      <h1>{words.agreement.title(String(id))}</h1>
      <LoadedView of={loaded} words={words}>
        {(read) => <AgreementDetails {...read} />}
      </LoadedView>
    </>
  );
}

function AgreementDetails({ entry, deliveries, seller }: AgreementWithDeliveries) {
  const { words, me, config } = useSession();
  const role = roleOf(entry, me, config.admin);
  const { provider, consumer } = entry.agreement;
  return (
    <>
      <AgreementCard entry={entry} />
      <AgreementActions entry={entry} deliveries={deliveries} role={role} seller={seller} />
      <section class="stack">
        <h2>{words.agreement.deliveries}</h2>
        {deliveries.length === 0 && <p class="empty">{words.agreement.noDeliveries}</p>}
        {deliveries.length > 0 && (
          <ol class="card deliveries">
            {[...deliveries].reverse().map((delivery) => (
              <DeliveryItem
                key={String(delivery.transaction.transaction_id)}
                entry={entry}
                delivery={delivery}
                deliveries={deliveries}
                role={role}
              />
            ))}
          </ol>
        )}
      </section>
      {role === "provider" || role === "consumer" ? <Naming address={role === "provider" ? consumer : provider} /> : null}
    </>
  );
}

function Naming({ address }: { address: string }) {
  const { words, names, setName } = useSession();
  const [name, setText] = useState(names[address] ?? "");
  const save = (event: Event) => {
    event.preventDefault();
    setName(address, name.trim().slice(0, 40));
  };
  return (
    <details>
      <summary>{words.agreement.name}</summary>
      <form class="stack" onSubmit={save}>
        <Field label={words.agreement.name} hint={words.agreement.nameHint} value={name} onInput={setText} />
        <code class="address">{address}</code>
        <Button submit>{words.agreement.save}</Button>
      </form>
    </details>
  );
}
