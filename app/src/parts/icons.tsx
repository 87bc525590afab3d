// Pictures for the navigation, drawn on a grid of 24.

import type { JSX } from "preact";

const paths = {
  home: "M4 11.5 12 5l8 6.5V20h-5.5v-5h-5v5H4z",
  agreements: "M6 4h9l4 4v12H6zM9.5 11h6M9.5 14.5h6M9.5 18h3.5",
  offer:
    "M12 3v2.5M12 18.5V21M3 12h2.5M18.5 12H21M5.6 5.6l1.8 1.8M16.6 16.6l1.8 1.8M5.6 18.4l1.8-1.8M16.6 7.4l1.8-1.8M12 8.2a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6z",
  history: "M4 20h16M7 20v-6M12 20V6M17 20v-9",
  admin: "M12 4v16M7 20h10M5 8h14M5 8l-2.5 6a2.7 2.7 0 0 0 5 0zM19 8l-2.5 6a2.7 2.7 0 0 0 5 0z",
};

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
