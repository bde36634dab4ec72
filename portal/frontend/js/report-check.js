// The public check of a report file: its SHA-256 is computed here and only that is sent; the file stays on the device.
// Without script the digest can be computed with any other program and typed in.
import { digestsOf } from "./digests.js";

const form = document.getElementById("check-file");
const chooser = form.querySelector("input[type=file]");
const [busy, unread] = ["busy", "unread"].map((name) => form.querySelector(`[data-${name}]`));

form.querySelector("[data-with-script]").hidden = false;
chooser.addEventListener("change", async () => {
  const [file] = chooser.files;
  if (!file) return;
  [busy.hidden, unread.hidden] = [false, true];
  try {
    const { sha256 } = await digestsOf(file);
    if (chooser.files[0] !== file) return; // another one was chosen meanwhile
    form.elements.sha256.value = sha256;
    form.requestSubmit();
  } catch {
    // The file was moved, or the device let go of it.
    [busy.hidden, unread.hidden] = [true, false];
  }
});
