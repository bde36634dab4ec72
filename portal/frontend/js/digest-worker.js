// Computes the fingerprints of a file away from the page's own thread.
import { digestsOf } from "./digests.js";

addEventListener("message", async ({ data: file }) => {
  try {
    postMessage(await digestsOf(file));
  } catch (fault) {
    postMessage({ fault: String(fault) });
  }
});
