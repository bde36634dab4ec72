// The public check of a report file: its SHA-256 is computed here and only that is sent; the file stays on the device.
// Without script the digest can be computed with any other program and typed in.
import { digestsOf } from "./digests.js";

const form = document.getElementById("check-file");
const chooser = form.querySelector("input[type=file]");

form.querySelector("[data-with-script]").hidden = false;
chooser.addEventListener("change", async () => {
  const [file] = chooser.files;
  if (!file) return;
  const { sha256 } = await digestsOf(file);
  form.elements.sha256.value = sha256;
  form.requestSubmit();
});
