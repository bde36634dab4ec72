// Build the portal's static files: one style sheet and the browser modules, into portal/frontend/build (not in git).
// Run by deploy/setup, or by hand: npm run build. No bundler: the modules are served as they are written.
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const packageFolder = (name) => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
const govuk = packageFolder("govuk-frontend");
const build = join(here, "build");

rmSync(build, { recursive: true, force: true });
mkdirSync(build, { recursive: true });

// Warnings inside the two component libraries are theirs to mend; ours stop the build.
const { css } = sass.compile(join(here, "sass", "portal.scss"), {
  style: "compressed",
  importers: [new sass.NodePackageImporter(here)],
  loadPaths: [join(here, "../..")], // the MoJ library names its neighbour by the path node_modules/…
  quietDeps: true,
  logger: {
    warn(message, { span }) {
      throw new Error(`${span?.url ?? "portal.scss"}:${(span?.start.line ?? 0) + 1}: ${message}`);
    },
  },
});

// The court's pages may carry neither the British crown nor its typeface, nor ask another host for anything.
for (const forbidden of [/GDS Transport/i, /crest/i, /crown/i, /url\(/i, /@import/i, /@font-face/i]) {
  const found = css.match(new RegExp(`.{0,60}${forbidden.source}.{0,60}`, "i"));
  if (found) throw new Error(`the style sheet contains ${forbidden}: ${found[0]}`);
}
writeFileSync(join(build, "portal.css"), `@charset "UTF-8";\n${css.replace(/^\uFEFF|^@charset "UTF-8";/, "")}`);

cpSync(join(govuk, "dist/govuk/govuk-frontend.min.js"), join(build, "govuk-frontend.min.js"));
for (const name of readdirSync(join(here, "js"))) cpSync(join(here, "js", name), join(build, name));
for (const name of readdirSync(join(here, "images"))) cpSync(join(here, "images", name), join(build, name));

cpSync(join(here, "NOTICE.txt"), join(build, "NOTICE.txt"));
