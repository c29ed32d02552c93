// Prints what a first visit downloads, packs it beforehand, and fails the build above the budget.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { brotliCompressSync, gzipSync } from "node:zlib"

const ASSETS = new URL("../server/static/assets/", import.meta.url)
const BUDGET_KB = 190
let script = 0
for (const name of readdirSync(ASSETS)) {
  const file = new URL(name, ASSETS)
  const content = readFileSync(file)
  const packed = gzipSync(content, { level: 9 })
  writeFileSync(new URL(`${name}.gz`, ASSETS), packed)
  writeFileSync(new URL(`${name}.br`, ASSETS), brotliCompressSync(content))
  if (name.endsWith(".js")) script += packed.length
  console.log(`${name}: ${(packed.length / 1024).toFixed(1)} KB gz`)
}
if (script > BUDGET_KB * 1024) {
  console.error(`the page's scripts are ${(script / 1024).toFixed(1)} KB gz; the budget is ${BUDGET_KB}`)
  process.exit(1)
}
