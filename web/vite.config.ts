import tailwindcss from "@tailwindcss/vite"
import react from "@vitejs/plugin-react"
import type { Plugin } from "vite"
import { defineConfig } from "vitest/config"

const SERVER = process.env["ARTEL_URL"] ?? "http://127.0.0.1:8123"
const PROXIED = ["/api", "/assistants", "/threads", "/runs", "/ok", "/info"]
const WORKER = "worker" // is served as /sw.js, so that all of the page is its scope
const CONVERSATION = "Bench" // is fetched at once where the address names one
const place = (name: string) => new RegExp(`["'\`]%${name}%["'\`]`)

/** Tells the service worker what the first paint needs, and what comes later. */
function shell(): Plugin {
  return {
    name: "shell",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).flatMap((one) => (one.type === "chunk" ? [one] : []))
      const worker = chunks.find((one) => one.name === WORKER)
      const page = chunks.find((one) => one.isEntry && one !== worker)
      if (!worker || !page) throw new Error("the page and its service worker are both entries")
      if (worker.imports.length) throw new Error("the service worker is one file")
      const styles = Object.keys(bundle).filter((name) => name.endsWith(".css"))
      const conversation = chunks.find((one) => one.name === CONVERSATION)
      if (!conversation) throw new Error("the conversation is a part of its own")
      const scripts = new Set([page.fileName, conversation.fileName])
      for (const name of scripts) chunks.find((one) => one.fileName === name)?.imports.forEach((other) => scripts.add(other))
      const first = [...scripts, ...styles]
      const later = chunks.map((one) => one.fileName).filter((name) => name !== worker.fileName && !first.includes(name))
      const lists = {
        SHELL: ["/t", "/icon.svg", "/manifest.json", ...first.map((name) => `/${name}`)],
        LATER: later.map((name) => `/${name}`),
      }
      for (const [name, list] of Object.entries(lists)) {
        if (!place(name).test(worker.code)) throw new Error(`the service worker has no place for ${name}`)
        worker.code = worker.code.replace(place(name), JSON.stringify(list))
      }
    },
  }
}

export default defineConfig({
  plugins: [react(), tailwindcss(), shell()],
  build: {
    outDir: "../server/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1_000, // budget.js judges what is sent, packed
    rolldownOptions: {
      input: { index: "index.html", [WORKER]: "src/offline/worker.ts" },
      output: {
        entryFileNames: ({ name }) => (name === WORKER ? "sw.js" : "assets/[name]-[hash].js"),
        codeSplitting: { groups: [{ name: "icons", test: /lucide-react/ }] }, // not a file for each
      },
    },
  },
  server: { proxy: Object.fromEntries(PROXIED.map((path) => [path, { target: SERVER }])) },
  test: { environment: "jsdom", include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
})
