// A text as a QR code. What draws it is loaded when one is shown.

import { useEffect, useState } from "preact/hooks";

/** As many modules of white as the standard asks for around the code. */
const QUIET = 4;

export function QrCode({ text, label }: { text: string; label: string }) {
  const [code, setCode] = useState<{ size: number; data: boolean[][] }>();
  useEffect(() => {
    let current = true;
    import("uqr").then(
      ({ encode }) => current && setCode(encode(text, { ecc: "L", border: QUIET })),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [text]);
  if (!code) return null;
  const path = code.data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
  // Dark on light in either scheme: cameras expect that.
  return (
    <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${code.size} ${code.size}`} shape-rendering="crispEdges">
      <rect width={code.size} height={code.size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
