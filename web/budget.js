// Prints what is downloaded, packs it beforehand, and fails the build above a budget.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { brotliCompressSync, gzipSync } from "node:zlib"

const STATIC = new URL("../server/static/", import.meta.url)
const ASSETS = new URL("assets/", STATIC)
const FIRST_KB = 190 // scripts before the chat is drawn
const CONVERSATION = /^Bench-.*\.js$/ // fetched at once where the address names one
const LATER_KB = 110 // any script that is fetched when it is needed

const sizes = new Map()
for (const name of readdirSync(ASSETS)) {
  const file = new URL(name, ASSETS)
  const content = readFileSync(file)
  const packed = gzipSync(content, { level: 9 })
  writeFileSync(new URL(`${name}.gz`, ASSETS), packed)
  writeFileSync(new URL(`${name}.br`, ASSETS), brotliCompressSync(content))
  sizes.set(name, packed.length / 1024)
}

// The document names its script; it and the conversation name what they import at once.
const named = readFileSync(new URL("index.html", STATIC), "utf8").matchAll(/assets\/([\w.-]+\.js)/g)
const first = new Set([...named].map((one) => one[1]))
for (const name of sizes.keys()) if (CONVERSATION.test(name)) first.add(name)
for (const name of first) {
  const code = readFileSync(new URL(name, ASSETS), "utf8")
  for (const [, other] of code.matchAll(/(?:from|import)\s*"\.\/([\w.-]+\.js)"/g)) first.add(other)
}
const kb = (name) => sizes.get(name) ?? 0
const together = [...first].reduce((sum, name) => sum + kb(name), 0)
const later = [...sizes.keys()].filter((name) => name.endsWith(".js") && !first.has(name))
for (const name of [...sizes.keys()].sort()) console.log(`${kb(name).toFixed(1).padStart(7)} KB gz  ${name}${first.has(name) ? "  at first" : ""}`)
console.log(`${together.toFixed(1).padStart(7)} KB gz of scripts before the first paint; the budget is ${FIRST_KB}`)

const heavy = later.filter((name) => kb(name) > LATER_KB)
if (together > FIRST_KB || heavy.length) {
  console.error(`over budget: ${together > FIRST_KB ? "the first paint" : ""} ${heavy.map((name) => `${name} (${LATER_KB} KB)`).join(", ")}`)
  process.exit(1)
}
