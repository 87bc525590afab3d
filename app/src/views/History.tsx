// What was bought and sold by day and month, as a picture, a table and a file.

import { useState } from "preact/hooks";
import { Chart, type Colour } from "../parts/Chart.js";
import { Button, Facts, LoadedView, saveFile } from "../parts/basics.js";
import { useLoad } from "../parts/load.js";
import { averagePrices, readRows, sumUp, toCsv, type Period, type Step } from "../person/books.js";
import { useSession } from "../person/session.js";

type Shown = "energy" | "money";

export function History() {
  const { words, me } = useSession();
  return (
    <>
      <h1>{words.history.title}</h1>
      {me ? <Books me={me} /> : <p class="empty">{words.agreements.connect}</p>}
    </>
  );
}

function Books({ me }: { me: string }) {
  const { chain, words, token, format, version } = useSession();
  const [step, setStep] = useState<Step>("day");
  const [shown, setShown] = useState<Shown>("energy");
  const [read, setRead] = useState(0);
  const loaded = useLoad((signal) => readRows(chain, me, setRead, signal), me, version);
  const say = words.history;
  return (
    <>
      {!loaded.value && read > 0 && <p role="status">{say.reading(format.number(BigInt(read)))}</p>}
      <LoadedView of={loaded} words={words}>
        {(rows) =>
          rows.length === 0 ? (
            <p class="empty">{say.none}</p>
          ) : (
            <>
              <div class="row">
                <Choice<Shown>
                  name="shown"
                  label={say.show}
                  value={shown}
                  onChange={setShown}
                  options={{ energy: say.energy, money: say.money }}
                />
                <Choice<Step> name="step" label={say.by} value={step} onChange={setStep} options={{ day: say.day, month: say.month }} />
              </div>
              <Sums periods={sumUp(rows, step)} step={step} shown={shown} />
              <Button onClick={() => saveFile("energy.csv", "text/csv", toCsv(rows, token))}>{say.csv}</Button>
            </>
          )
        }
      </LoadedView>
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

interface SumsProps {
  periods: Period[];
  step: Step;
  shown: Shown;
}

type Column = Exclude<keyof Period, "start">;

const colours: Partial<Record<Column, Colour>> = { boughtKwh: "bought", soldKwh: "sold", paid: "bought", received: "sold" };

const columns: Record<Shown, Column[]> = { energy: ["boughtKwh", "soldKwh"], money: ["paid", "received", "toPay", "toReceive"] };

function Sums({ periods, step, shown }: SumsProps) {
  const { words, format, token } = useSession();
  const say = words.history;
  const names: Record<Column, string> = { ...say, boughtKwh: say.bought, soldKwh: say.sold };
  const label = (start: Date) => (step === "day" ? format.day(start) : format.month(start));
  const text = (value: bigint) => (shown === "energy" ? format.kwh(value) : format.amount(value, token));
  // A column without any amount is left out. Open bills have a column, but no bars.
  const used = columns[shown].filter((column) => periods.some((period) => period[column] > 0n));
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
            labels={periods.map(({ start }) => label(start))}
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
