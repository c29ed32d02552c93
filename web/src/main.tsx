import { StrictMode, startTransition } from "react"
import { createRoot } from "react-dom/client"
import { App } from "./shell/App"
import "./styles.css"
import { colour, theme } from "./theme"

const RENEWED = "artel.renewed"
const RENEW_AFTER_MS = 60_000

colour(theme())

const root = document.getElementById("root")
if (root) {
  // In a transition: a phone draws in slices, and answers to a finger between them.
  startTransition(() =>
    createRoot(root).render(
      <StrictMode>
        <App />
      </StrictMode>,
    ),
  )
}

// The page opens without a network, too; where it is being worked on, each file is to come anew.
if (import.meta.env.PROD && "serviceWorker" in navigator) void navigator.serviceWorker.register("/sw.js").catch(() => undefined)

// A server that was replaced no longer has the parts of the page that was open: take the new page, once.
window.addEventListener("vite:preloadError", () => {
  const last = Number(sessionStorage.getItem(RENEWED) ?? 0)
  if (!navigator.onLine || Date.now() - last < RENEW_AFTER_MS) return
  sessionStorage.setItem(RENEWED, String(Date.now()))
  location.reload()
})
