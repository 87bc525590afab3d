// Bars of two series, drawn by uPlot on a canvas; colours come from the style sheet.

import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";

/** The name of a colour in the style sheet. */
export type Colour = "bought" | "sold";

interface Props {
  title: string;
  labels: string[];
  series: { name: string; colour: Colour; values: number[] }[];
  unit: string;
  locale: string;
}

const HEIGHT = 260;
const dark = matchMedia("(prefers-color-scheme: dark)");

export function Chart({ title, labels, series, unit, locale }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [scheme, setScheme] = useState(dark.matches);

  useEffect(() => {
    const follow = () => setScheme(dark.matches);
    dark.addEventListener("change", follow);
    return () => dark.removeEventListener("change", follow);
  }, []);

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    // The canvas needs resolved colours, which only an element's own style has.
    const colour = (name: string) => {
      element.style.color = `var(${name})`;
      const { color } = getComputedStyle(element);
      element.style.color = "";
      return color;
    };
    const [ink, line] = [colour("--quiet"), colour("--line")];
    const fills = series.map((one) => colour(`--${one.colour}`));
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "13px system-ui, sans-serif" };
    const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 7 });
    const chart = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        cursor: { show: false },
        legend: { show: false },
        scales: { x: { time: false, range: [-0.6, labels.length - 0.4] }, y: { range: (_, __, most) => [0, Math.max(most * 1.1, 1e-7)] } },
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 32,
            splits: () => spread(labels.length, element.clientWidth),
            values: (_, splits) => splits.map((at) => labels[at] ?? ""),
          },
          { ...axis, size: 64, values: (_, splits) => splits.map((value) => number.format(value)) },
        ],
        series: [
          {},
          ...series.map(({ name }, index) => ({
            label: name,
            stroke: fills[index],
            fill: fills[index],
            width: 0,
            points: { show: false },
            paths: uPlot.paths.bars?.({
              size: [0.8 / series.length, 56 / series.length],
              align: series.length === 1 ? 0 : index === 0 ? -1 : 1,
              radius: 0.15,
            }),
          })),
        ],
      },
      [labels.map((_, index) => index), ...series.map(({ values }) => values)],
      element,
    );
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [labels.join(), JSON.stringify(series), locale, scheme]);

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
      <div ref={place} class="chart" role="img" aria-label={title} />
    </>
  );
}

/** The places on the axis that get a label: as many as there is room for. */
function spread(count: number, width: number): number[] {
  const step = Math.max(1, Math.ceil(count / (width / 72)));
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step);
}
