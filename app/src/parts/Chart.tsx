// Bars of one or two series as a drawing, whose colours come from the style sheet. The table beside it says the same in numbers.

import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { layout } from "./bars.js";

/** The name of a colour in the style sheet. */
export type Colour = "bought" | "sold";

interface Props {
  title: string;
  labels: string[];
  series: { name: string; colour: Colour; values: number[] }[];
  unit: string;
  locale: string;
}

const HEIGHT = 220;
/** Room for the numbers beside the bars, and for the labels below them. */
const LEFT = 64;
const BELOW = 30;
/** As wide as it is printed; on a screen it is as wide as there is room. */
const PRINTED = 640;

export function Chart({ title, labels, series, unit, locale }: Props) {
  const id = useId();
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(PRINTED);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    const measure = () => setWidth(Math.max(240, element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 7 });
  const values = series.map((one) => one.values);
  const { bars, lines, labels: places } = layout(values, width - LEFT, HEIGHT);
  return (
    <>
      <figcaption class="legend">
        {series.map(({ name, colour }) => (
          <span key={name} class={colour}>
            {name}
          </span>
        ))}
        <span class="unit">{unit}</span>
      </figcaption>
      <div ref={place} class="chart">
        <svg viewBox={`${-LEFT} -8 ${width} ${HEIGHT + BELOW + 8}`} role="img" aria-labelledby={id}>
          <title id={id}>{title}</title>
          {lines.map(({ y, value }) => (
            <g key={value}>
              <line x1={0} x2={width - LEFT} y1={y} y2={y} />
              <text x={-8} y={y} text-anchor="end" dominant-baseline="middle">
                {number.format(value)}
              </text>
            </g>
          ))}
          {bars.map(({ series: of, period, x, y, width, height }) => (
            <rect key={`${of} ${period}`} class={series[of]?.colour} x={x} y={y} width={width} height={height} rx={Math.min(3, width / 4)}>
              <title>{`${series[of]?.name}, ${labels[period]}: ${number.format(values[of]?.[period] ?? 0)} ${unit}`}</title>
            </rect>
          ))}
          {places.map(({ x, period }) => (
            <text key={period} x={x} y={HEIGHT + BELOW - 8} text-anchor="middle">
              {labels[period]}
            </text>
          ))}
        </svg>
      </div>
    </>
  );
}
