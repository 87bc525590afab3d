// What this device can do.

const { userAgent, maxTouchPoints } = navigator;

/** A phone or a tablet: its browsers have no extensions for wallets, but it can open a wallet's app. An iPad says that it is a Mac. */
export const isPhone = /Android|iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
