// Bundles the two pages into dist/, where the browser tests serve them from.

import { writeFileSync } from "node:fs";
import { build } from "esbuild";

await build({
  entryPoints: ["classic.jsx", "current.jsx"],
  bundle: true,
  format: "esm",
  jsx: "automatic",
  outdir: "dist",
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
});
for (const page of ["classic", "current"]) {
  const script = `<script type="module" src="${page}.js"></script>`;
  writeFileSync(`dist/${page}.html`, `<!doctype html><meta charset="utf-8"><title>${page}</title><body>${script}`);
}
