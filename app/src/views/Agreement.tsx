// One agreement with its deliveries, and what this person can do about them now.

import type { AgreementEntry, Prosumer } from "../../client/src/index.js";
import { roleOf, sellerMatters, type Delivery } from "../contract/rules.js";
import { AgreementActions } from "../parts/AgreementActions.js";
import { AgreementCard } from "../parts/AgreementCard.js";
import { DeliveryItem } from "../parts/DeliveryItem.js";
import { Facts, LoadedView } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { NameForm, NameFromLink } from "../parts/naming.js";
import { readMeans, type Means } from "../parts/payment.js";
import { href } from "../person/place.js";
import { useSession } from "../person/session.js";

interface AgreementWithDeliveries {
  entry: AgreementEntry;
  deliveries: Delivery[];
  seller: Prosumer | undefined;
  /** What this person can pay and be paid; none without a wallet. */
  means: Means | undefined;
}

export function Agreement({ id, called }: { id: bigint; called?: string }) {
  const { chain, words, version, me, config, token } = useSession();
  const loaded = useLoad<AgreementWithDeliveries>(
    async () => {
      // Once the seller is known, two calls tell the deliveries, and all else is one request for entries of the ledger.
      const terms = await chain.terms(id);
      const [entry, deliveries, seller, means] = await Promise.all([
        chain.withState(terms),
        chain.deliveries(id),
        chain.prosumer(terms.provider),
        me ? readMeans(chain, token, me, terms.provider) : undefined,
      ]);
      const role = roleOf(entry, me, config.admin);
      return { entry, deliveries, seller: role !== "provider" || sellerMatters(entry, role) ? seller : undefined, means };
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
        {(read) => (
          <>
            <NameFromLink address={read.entry.agreement.provider} called={called} />
            <AgreementDetails {...read} />
          </>
        )}
      </LoadedView>
    </>
  );
}

function AgreementDetails({ entry, deliveries, seller, means }: AgreementWithDeliveries) {
  const { words, me, config } = useSession();
  const role = roleOf(entry, me, config.admin);
  const { provider, consumer } = entry.agreement;
  return (
    <>
      <AgreementCard entry={entry} />
      {role !== "provider" && <Plant seller={seller} />}
      <AgreementActions entry={entry} deliveries={deliveries} role={role} seller={seller} means={means} />
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
                means={means}
              />
            ))}
          </ol>
        )}
      </section>
      {role === "provider" || role === "consumer" ? <Naming address={role === "provider" ? consumer : provider} /> : null}
    </>
  );
}

/** What the buyer may expect of the seller's readings: a certified meter grows no faster than its plant can export. */
function Plant({ seller }: { seller: Prosumer | undefined }) {
  const { words, format } = useSession();
  const say = words.plant;
  return (
    <section class="card">
      <Facts facts={[[say.title, seller?.meter ? say.certified(format.kw(seller.max_power_kw)) : say.none]]} />
    </section>
  );
}

function Naming({ address }: { address: string }) {
  const { words } = useSession();
  return (
    <details>
      <summary>{words.agreement.name}</summary>
      <NameForm address={address} label={words.agreement.name} />
    </details>
  );
}
