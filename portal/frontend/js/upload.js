// The files page with script: each file goes up in parts that survive a broken line or a closed page, while its fingerprints
// are computed on the device. Without script the same form sends the files whole.
import { Sha256, digestsOf } from "./digests.js";

const form = document.getElementById("files-form");
const list = document.getElementById("list");
const chooser = form.querySelector("input[type=file]");
const blank = document.getElementById("card-template");
const sentences = document.getElementById("sentences").dataset;
const aloud = document.getElementById("progress-said");
const busy = document.getElementById("busy");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const PART = Number(form.dataset.part);
const WAITS = [1, 2, 4, 8, 15, 30, 30, 30]; // seconds between attempts on a line that does not answer

const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

function duration(seconds) {
  if (seconds < 90) return fill(sentences.seconds, { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return fill(sentences.minutes, { n: Math.round(seconds / 60) });
  return fill(sentences.hours, { n: Math.round(seconds / 3600) });
}

function bytes(size) {
  if (size < 1024) return `${size} B`;
  const power = Math.min(3, Math.floor(Math.log2(size) / 10));
  return `${(size / 1024 ** power).toFixed(1)} ${"KMG"[power - 1]}B`;
}

/** One request. Resolves with status 0 when nobody answered; never rejects. */
function ask(method, address, { headers = {}, body = null, sent = null } = {}) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    for (const [name, value] of Object.entries({ "X-CSRFToken": token, "Tus-Resumable": "1.0.0", ...headers })) {
      request.setRequestHeader(name, value);
    }
    if (sent) request.upload.addEventListener("progress", (event) => sent(event.loaded));
    request.addEventListener("loadend", () => {
      let answer = null;
      try { answer = JSON.parse(request.responseText); } catch { /* an empty or foreign answer */ }
      const offset = request.getResponseHeader("Upload-Offset");
      resolve({
        status: request.status,
        location: request.getResponseHeader("Location"),
        offset: offset === null ? null : Number(offset),
        answer,
      });
    });
    request.send(body);
  });
}

/** Fingerprints in a worker; in this thread where the browser knows no module workers. */
function fingerprints(file) {
  return new Promise((resolve, reject) => {
    const here = () => digestsOf(file).then(resolve, reject);
    let worker;
    try { worker = new Worker(form.dataset.worker, { type: "module" }); } catch { here(); return; }
    worker.addEventListener("error", () => { worker.terminate(); here(); });
    worker.addEventListener("message", ({ data }) => {
      worker.terminate();
      if (data.fault) reject(new Error(data.fault)); else resolve(data);
    });
    worker.postMessage(file);
  });
}

/** The file is not taken, or not now; `again` says whether trying again can help. */
class Stopped extends Error {
  constructor(sentence, { again = true, refused = false } = {}) {
    super(sentence);
    Object.assign(this, { again, refused });
  }
}

class Transfer {
  static waiting = [];
  static running = null;
  static places = new Map();

  constructor(file) {
    this.file = file;
    this.card = blank.content.firstElementChild.cloneNode(true);
    this.part = (name) => this.card.querySelector(name);
    this.part("bdi").textContent = file.name;
    this.part(".mj-file__size").textContent = bytes(file.size);
    this.part("progress").setAttribute("aria-label", fill(sentences.progress, { name: file.name }));
    this.part("[data-cancel]").addEventListener("click", () => this.cancel());
    this.part("[data-retry]").addEventListener("click", () => this.enqueue());
    list.append(this.card);
    this.enqueue();
  }

  enqueue() {
    this.show("uploading", sentences.waiting);
    this.part("[data-retry]").hidden = true;
    this.over = false;
    Transfer.waiting.push(this);
    Transfer.next();
  }

  static async next() {
    if (Transfer.running) return;
    const transfer = Transfer.running = Transfer.waiting.shift() ?? null;
    if (!transfer) { busy.hidden = true; return; }
    await transfer.run();
    Transfer.running = null;
    Transfer.next();
  }

  async run() {
    try {
      const head = await this.read(0);
      this.digests ??= fingerprints(this.file);
      this.digests.catch(() => {}); // asked for below
      await this.begin(new Sha256().update(head).hex());
      if (this.over) return;
      await this.send();
      if (!this.over) await this.close();
    } catch (fault) {
      if (!this.over) this.stop(fault);
    }
  }

  async read(at) {
    try {
      return new Uint8Array(await this.file.slice(at, at + PART).arrayBuffer());
    } catch {
      this.digests = undefined;
      throw new Stopped(sentences.unreadable, { again: false });
    }
  }

  async begin(head) {
    const metadata = Object.entries({ filename: this.file.name, filetype: this.file.type, head_sha256: head })
      .filter(([, value]) => value).map(([name, value]) => `${name} ${base64(value)}`).join(",");
    const { status, location, offset, answer } = await this.insist(() => ask("POST", form.dataset.uploads, {
      headers: { "Upload-Length": String(this.file.size), "Upload-Metadata": metadata },
    }));
    if (status !== 200 && status !== 201) throw this.problem(status, answer);
    const other = Transfer.places.get(location);
    if (other && other !== this) { // the same file chosen twice at once
      this.over = true;
      this.card.remove();
      return;
    }
    Transfer.places.set(location, this);
    this.location = location;
    this.offset = offset ?? 0;
    const id = location.split("/").at(-2);
    list.querySelector(`[data-upload="${id}"]`)?.remove(); // the card that said "choose it again"
    if (this.offset) this.show("uploading", fill(sentences.resuming, { p: this.percent() }));
  }

  async send() {
    this.started = { at: performance.now(), offset: this.offset };
    while (this.offset < this.file.size && !this.over) {
      const from = this.offset;
      const body = await this.read(from);
      const { status, offset, answer } = await this.insist(() => ask("POST", this.location, {
        headers: {
          "X-HTTP-Method-Override": "PATCH", // some lines know only GET and POST
          "Content-Type": "application/offset+octet-stream",
          "Upload-Offset": String(from),
        },
        body,
        sent: (count) => this.progress(from + count),
      }), { untilOffset: true });
      if ((status === 204 || status === 409 || status === 400) && offset !== null) this.offset = offset;
      else throw this.problem(status, answer);
      this.progress(this.offset);
    }
  }

  async close() {
    this.show("uploading", sentences.checking);
    let told;
    try { told = await this.digests; } catch { throw new Stopped(sentences.unreadable, { again: false }); }
    const { status, offset, answer } = await this.insist(() => ask("POST", `${this.location}digests/`, {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(told),
    }));
    if (status === 409 && offset !== null) {
      this.offset = offset;
      await this.send();
      return this.close();
    }
    if (status !== 200 || !answer?.card) throw this.problem(status, answer);
    const made = document.createElement("template");
    made.innerHTML = answer.card; // our own server's markup, names escaped
    const card = made.content.firstElementChild;
    this.card.replaceWith(card);
    this.card = card;
    this.over = true;
    aloud.textContent = `${this.file.name}：${card.querySelector(".mj-file__state").textContent}`;
  }

  /** Repeat a request while nobody answers or the server asks for a moment; then tell where things stand. */
  async insist(request, { untilOffset = false } = {}) {
    for (const wait of WAITS) {
      const answer = await request();
      const again = answer.status === 0 || answer.status === 423 || answer.status === 502 || answer.status === 503 || answer.status === 504;
      if (!again || this.over) return answer;
      if (answer.status === 0) this.show("paused", fill(sentences.offline, { p: this.percent() }));
      if (navigator.onLine === false) await new Promise((resolve) => addEventListener("online", resolve, { once: true }));
      else await pause(wait);
      if (untilOffset && !this.over) {
        const now = await ask("HEAD", this.location);
        if (now.status === 200) return { ...now, status: 409 };
      }
    }
    return { status: 0, offset: null, answer: null };
  }

  problem(status, answer) {
    if (status === 401 || status === 403) return new Stopped(sentences.signedOut);
    if (status === 404 || status === 410) { // ended on the server: begin anew
      Transfer.places.delete(this.location);
      this.offset = 0;
    }
    if (status === 422 || status === 413) return new Stopped(answer?.message ?? sentences.failed, { again: false, refused: true });
    return new Stopped(answer?.message ?? fill(sentences.failed, { p: this.percent() }));
  }

  stop(fault) {
    Transfer.places.delete(this.location);
    const known = fault instanceof Stopped;
    this.show(known && fault.refused ? "refused" : "paused", known ? fault.message : fill(sentences.failed, { p: this.percent() }));
    this.part("[data-retry]").hidden = known && !fault.again;
    this.part("progress").hidden = known && fault.refused;
    aloud.textContent = `${this.file.name}：${this.part(".mj-file__state").textContent}`;
  }

  async cancel() {
    this.over = true;
    Transfer.waiting = Transfer.waiting.filter((other) => other !== this);
    Transfer.places.delete(this.location);
    this.card.remove();
    document.getElementById("files").focus();
    if (this.location) await ask("POST", this.location, { headers: { "X-HTTP-Method-Override": "DELETE" } });
  }

  percent(offset = this.offset ?? 0) {
    return Math.floor((offset * 100) / this.file.size);
  }

  progress(offset) {
    const p = this.percent(offset);
    const seconds = (performance.now() - this.started.at) / 1000;
    const rate = (offset - this.started.offset) / seconds;
    const sentence = seconds > 2 && rate > 0 ? sentences.uploading : sentences.starting;
    this.show("uploading", fill(sentence, { p, t: duration((this.file.size - offset) / rate) }));
    this.part("progress").value = p;
    if (Math.floor(p / 25) !== this.spoken) {
      this.spoken = Math.floor(p / 25);
      aloud.textContent = `${this.file.name}：${p}%`;
    }
  }

  show(modifier, sentence) {
    this.card.className = `mj-file mj-file--${modifier}`;
    this.part(".mj-file__state").textContent = sentence;
  }
}

function begin() {
  document.querySelectorAll("[data-without-script]").forEach((part) => { part.hidden = true; });
  document.querySelectorAll("[data-with-script]").forEach((part) => { part.hidden = false; });

  const take = () => {
    if (!chooser.files.length) return;
    for (const file of Array.from(chooser.files)) new Transfer(file);
    chooser.value = ""; // the plain form must not send them again
    chooser.dispatchEvent(new Event("change")); // and the chooser should say so
  };
  chooser.addEventListener("change", take);
  take(); // what was chosen while this script was still on its way, on a slow line

  form.addEventListener("submit", (event) => {
    if (Transfer.running || Transfer.waiting.length) {
      event.preventDefault();
      busy.hidden = false;
      busy.scrollIntoView({ block: "center" });
    }
    // Files that are still in the form go the plain way: the list lets the server see whether all of them arrived.
    const files = Array.from(chooser.files, ({ name, size }) => ({ name, size }));
    document.getElementById("manifest").value = files.length ? JSON.stringify(files) : "";
  });
}

begin();
