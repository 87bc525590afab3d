// All that a press of a button needs to build, to sign and to send: see toolbox.ts.

export { withSdk } from "../chain/sdk.js";
export { APPROVAL_HOLDS, draftApproval, needsOthers, readApproval, readSigners, textOf, waitsFor } from "./approvals.js";
export { prolonging } from "./networkCalls.js";
export { partnersIn } from "./partners.js";
export { assembleFor, signShared } from "./share.js";
export { addSignature, ask, look, prepare, readSigned, send, sign, withinMeans } from "./submit.js";
