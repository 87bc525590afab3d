// Where the bars of a chart stand.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { layout } from "../../src/parts/bars.js";

test("one bar is as wide as it may be, in the middle, and as high as its value", () => {
  const { bars, lines, labels } = layout([[9]], 500, 200);
  assert.deepEqual(bars, [{ series: 0, period: 0, x: 222, width: 56, y: 20, height: 180 }]);
  assert.deepEqual(
    lines.map(({ value, y }) => [value, Math.round(y)]),
    [[0, 200], [5, 100], [10, 0]],
  );
  assert.deepEqual(labels, [{ x: 250, period: 0 }]);
});

test("two series stand beside each other, and nothing has no bar", () => {
  const { bars } = layout([[4, 0], [2, 1]], 100, 100);
  assert.deepEqual(
    bars.map(({ series, period, x, width, height }) => [series, period, x, width, height]),
    [[0, 0, 5, 20, 100], [1, 0, 25, 20, 50], [1, 1, 75, 20, 25]],
  );
});

test("labels keep apart, and the lines are round numbers up to the largest value", () => {
  const { labels, lines, bars } = layout([Array.from({ length: 60 }, (_, day) => day / 100)], 390, 200);
  assert.deepEqual(labels.map(({ period }) => period), [0, 12, 24, 36, 48]);
  assert.deepEqual(lines.map(({ value }) => value.toFixed(1)), ["0.0", "0.2", "0.4", "0.6"]);
  assert.equal(bars.length, 59);
  assert.deepEqual(layout([[0, 0]], 390, 200).lines.map(({ value }) => value), [0, 1]);
});
