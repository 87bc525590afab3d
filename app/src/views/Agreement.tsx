// One agreement with its deliveries, and what this person can do about them now.

import { useState } from "preact/hooks";
import type { Prosumer } from "../../client/src/index.js";
import type { Deal, Delivery } from "../chain/chain.js";
import { roleOf } from "../contract/rules.js";
import { DealActions } from "../parts/DealActions.js";
import { DealCard } from "../parts/DealCard.js";
import { DeliveryItem } from "../parts/DeliveryItem.js";
import { Button, Field, LoadedView } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { href } from "../person/place.js";
import { useSession } from "../person/session.js";

interface Whole {
  deal: Deal;
  deliveries: Delivery[];
  seller: Prosumer | undefined;
}

export function Agreement({ id }: { id: bigint }) {
  const { chain, words, version } = useSession();
  const loaded = useLoad<Whole>(
    async () => {
      const [deal, deliveries] = await Promise.all([chain.deal(id), chain.deliveries(id)]);
      return { deal, deliveries, seller: await chain.prosumer(deal.agreement.provider) };
    },
    id,
    version,
  );
  return (
    <>
      <a class="back" href={href({ name: "agreements" })}>
        {words.common.back}
      </a>
      <h1>{words.agreement.title(String(id))}</h1>
      <LoadedView of={loaded} words={words}>
        {(whole) => <Opened {...whole} />}
      </LoadedView>
    </>
  );
}

function Opened({ deal, deliveries, seller }: Whole) {
  const { words, me, config } = useSession();
  const role = roleOf(deal, me, config.admin);
  const { provider, consumer } = deal.agreement;
  return (
    <>
      <DealCard deal={deal} />
      <DealActions deal={deal} deliveries={deliveries} role={role} seller={seller} />
      <section class="stack">
        <h2>{words.agreement.deliveries}</h2>
        {deliveries.length === 0 && <p class="empty">{words.agreement.noDeliveries}</p>}
        {deliveries.length > 0 && (
          <ol class="card deliveries">
            {[...deliveries].reverse().map((delivery) => (
              <DeliveryItem
                key={String(delivery.transaction.transaction_id)}
                deal={deal}
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
