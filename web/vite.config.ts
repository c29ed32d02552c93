import tailwindcss from "@tailwindcss/vite"
import react from "@vitejs/plugin-react"
import { defineConfig } from "vitest/config"

const SERVER = process.env["ARTEL_URL"] ?? "http://127.0.0.1:8123"
const PROXIED = ["/api", "/assistants", "/threads", "/runs", "/ok", "/info"]

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: { outDir: "../server/static", emptyOutDir: true, target: "es2022", assetsInlineLimit: 0 },
  server: { proxy: Object.fromEntries(PROXIED.map((path) => [path, { target: SERVER }])) },
  test: { environment: "jsdom", include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
})
