// Where the bars of a chart stand, in units of its drawing.

export interface Bar {
  /** Which series and which period it shows. */
  series: number;
  period: number;
  x: number;
  width: number;
  y: number;
  height: number;
}

export interface Layout {
  bars: Bar[];
  /** The lines across, with their values. */
  lines: { y: number; value: number }[];
  /** The periods that have room for a label, with the middle of each. */
  labels: { x: number; period: number }[];
}

/** So much of a period's room is for its bars. */
const FILLED = 0.8;
const WIDEST_BAR = 56;
const LABEL_WIDTH = 72;
const LINES = 4;

export function layout(series: number[][], width: number, height: number): Layout {
  const periods = series[0]?.length ?? 0;
  const step = lineStep(Math.max(...series.flat(), 0));
  const top = step * Math.max(1, Math.ceil(Math.max(...series.flat(), 0) / step));
  const room = width / periods;
  const barWidth = Math.min(WIDEST_BAR, (room * FILLED) / series.length);
  const middle = (period: number) => (period + 0.5) * room;
  const bars = series.flatMap((values, index) =>
    values.flatMap((value, period): Bar[] => {
      const x = middle(period) + (index - series.length / 2) * barWidth;
      const size = (value / top) * height;
      return value > 0 ? [{ series: index, period, x, width: barWidth, y: height - size, height: size }] : [];
    }),
  );
  const lines = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => ({ y: height * (1 - (index * step) / top), value: index * step }));
  const every = Math.max(1, Math.ceil((periods * LABEL_WIDTH) / width));
  const labels = Array.from({ length: Math.ceil(periods / every) }, (_, index) => ({ x: middle(index * every), period: index * every }));
  return { bars, lines, labels };
}

/** A round number by which a few lines reach the largest value. */
function lineStep(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most / LINES));
  return ([1, 2, 5].find((factor) => factor * power * LINES >= most) ?? 10) * power;
}
