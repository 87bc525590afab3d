// What was bought and sold by day and month, and with whom, as a picture, a table and a file.

import { useState } from "preact/hooks";
import { readRows } from "../chain/activity.js";
import { Chart, type Colour } from "../parts/Chart.js";
import { Button, Facts, LoadedView, NoAccount, Person, saveFile } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { averagePrices, byNeighbour, inMonth, monthsOf, monthSpan, sumUp, type Period, type Row, type Step, type Sums } from "../person/books.js";
import { toCsv } from "../person/csv.js";
import { href } from "../person/place.js";
import { paymentOf } from "../person/receipts.js";
import { useSession } from "../person/session.js";

type Shown = "energy" | "money";

export function History() {
  const { words, me } = useSession();
  return (
    <>
      <h1>{words.history.title}</h1>
      {me ? <Books me={me} /> : <NoAccount />}
    </>
  );
}

function Books({ me }: { me: string }) {
  const { chain, words, format, version } = useSession();
  const [read, setRead] = useState(0);
  const loaded = useLoad((signal) => readRows(chain, me, setRead, signal), me, version);
  return (
    <>
      {!loaded.value && read > 0 && <p role="status">{words.history.reading(format.number(BigInt(read)))}</p>}
      <LoadedView of={loaded} words={words}>
        {(rows) => (rows.length === 0 ? <p class="empty">{words.history.none}</p> : <Filtered rows={rows} />)}
      </LoadedView>
    </>
  );
}

function Filtered({ rows }: { rows: Row[] }) {
  const { chain, words, token, format, names } = useSession();
  const [step, setStep] = useState<Step>("day");
  const [shown, setShown] = useState<Shown>("energy");
  const [month, setMonth] = useState("");
  const say = words.history;
  const some = month ? inMonth(rows, month) : rows;
  const save = () => {
    const options = { token, decimalSign: format.separator, names, paymentOf: paymentOf(chain.contractId) };
    saveFile(`energy${month && `-${month}`}.csv`, "text/csv;charset=utf-8", toCsv(some, options));
  };
  return (
    <>
      <div class="row">
        <Choice<Shown> name="shown" label={say.show} value={shown} onChange={setShown} options={{ energy: say.energy, money: say.money }} />
        <Choice<Step> name="step" label={say.by} value={step} onChange={setStep} options={{ day: say.day, month: say.month }} />
        <label class="choice">
          {say.during}
          <select value={month} onChange={(event) => setMonth(event.currentTarget.value)}>
            <option value="">{say.always}</option>
            {monthsOf(rows).map((one) => (
              <option key={one} value={one}>
                {format.month(monthSpan(one).start)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Periods periods={sumUp(some, step)} step={step} shown={shown} />
      <Neighbours rows={some} shown={shown} month={month} />
      <p class="hint">{say.ownTime(Intl.DateTimeFormat().resolvedOptions().timeZone)}</p>
      <Button onClick={save}>{month ? say.csvMonth : say.csv}</Button>
    </>
  );
}

interface ChoiceProps<T extends string> {
  name: string;
  label: string;
  value: T;
  options: Record<T, string>;
  onChange: (value: T) => void;
}

function Choice<T extends string>({ name, label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {(Object.entries(options) as [T, string][]).map(([option, text]) => (
        <label key={option}>
          <input type="radio" name={name} checked={value === option} onChange={() => onChange(option)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

type Column = keyof Sums;

const colours: Partial<Record<Column, Colour>> = { boughtKwh: "bought", soldKwh: "sold", paid: "bought", received: "sold" };

const columns: Record<Shown, Column[]> = { energy: ["boughtKwh", "soldKwh", "disputedKwh"], money: ["paid", "received", "toPay", "toReceive", "disputed"] };

/** A column without any amount is left out. Open bills have a column, but no bars. */
const usedColumns = (all: Sums[], shown: Shown) => columns[shown].filter((column) => all.some((sums) => sums[column] > 0n));

function useColumns(shown: Shown) {
  const { words, format, token } = useSession();
  const say = words.history;
  const names: Record<Column, string> = { ...say, boughtKwh: say.bought, soldKwh: say.sold, disputedKwh: say.disputed };
  return { names, text: (value: bigint) => (shown === "energy" ? format.kwh(value) : format.amount(value, token)) };
}

interface PeriodsProps {
  periods: Period[];
  step: Step;
  shown: Shown;
}

function Periods({ periods, step, shown }: PeriodsProps) {
  const { words, format, token } = useSession();
  const say = words.history;
  const { names, text } = useColumns(shown);
  const label = (start: Date) => (step === "day" ? format.day(start) : format.month(start));
  const used = usedColumns(periods, shown);
  const bars = used.filter((column) => column in colours);
  // These numbers are for the picture only; the table is exact.
  const drawn = (value: bigint) => (shown === "energy" ? Number(value) : Number(value) / 10 ** token.decimals);
  const average = averagePrices(periods);
  const perKwh = (price: bigint) => words.agreements.perKwh(format.amount(price, token));
  const filled = periods.filter((period) => used.some((column) => period[column] > 0n));
  return (
    <>
      {bars.length > 0 && (
        <figure class="card">
          <Chart
            title={say.chart(bars.map((column) => names[column]).join(", "))}
            labels={periods.map(({ start }) => (step === "day" ? format.dayOfYear(start) : format.month(start)))}
            series={bars.map((column) => ({
              name: names[column],
              colour: colours[column] ?? "sold",
              values: periods.map((period) => drawn(period[column])),
            }))}
            unit={shown === "energy" ? "kWh" : token.symbol}
            locale={format.locale}
          />
        </figure>
      )}
      <div class="table" role="region" aria-label={say.title} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{say.period}</th>
              {used.map((column) => (
                <th scope="col" key={column}>
                  {names[column]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {filled.reverse().map((period) => (
              <tr key={period.start.getTime()}>
                <th scope="row">{label(period.start)}</th>
                {used.map((column) => (
                  <td key={column}>{text(period[column])}</td>
                ))}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{say.sum}</th>
              {used.map((column) => (
                <td key={column} data-sum={column}>
                  {text(periods.reduce((sum, period) => sum + period[column], 0n))}
                </td>
              ))}
            </tr>
          </tfoot>
        </table>
      </div>
      <Facts
        facts={[
          average.bought !== undefined && [say.averageBought, perKwh(average.bought)],
          average.sold !== undefined && [say.averageSold, perKwh(average.sold)],
        ]}
      />
    </>
  );
}

/** The sums with each neighbour; of a month, with a link to the statement about it. */
function Neighbours({ rows, shown, month }: { rows: Row[]; shown: Shown; month: string }) {
  const { words } = useSession();
  const say = words.history;
  const { names, text } = useColumns(shown);
  const neighbours = byNeighbour(rows);
  const used = usedColumns(
    neighbours.map(([, sums]) => sums),
    shown,
  );
  return (
    <section class="stack">
      <h2>{say.neighbours}</h2>
      <div class="table" role="region" aria-label={say.neighbours} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{say.neighbour}</th>
              {used.map((column) => (
                <th scope="col" key={column}>
                  {names[column]}
                </th>
              ))}
              {month && <th scope="col">{words.statement.title}</th>}
            </tr>
          </thead>
          <tbody>
            {neighbours.map(([neighbour, sums]) => (
              <tr key={neighbour}>
                <th scope="row">
                  <Person address={neighbour} />
                </th>
                {used.map((column) => (
                  <td key={column}>{text(sums[column])}</td>
                ))}
                {month && (
                  <td>
                    <a href={href({ name: "statement", month, neighbour })}>{words.common.open}</a>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!month && <p class="hint">{say.statementHint}</p>}
    </section>
  );
}
