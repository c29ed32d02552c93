import { useSyncExternalStore } from "react"

/** What the address says is on the page. */
export type Route =
  | { page: "chat"; thread: string }
  | { page: "inbox" }
  | { page: "graph"; assistant: string }
  | { page: "settings"; section: string }

const THREAD = /^\/t\/([0-9a-f-]{36})/
const VIEWS = /^\/(?:(?:t|inbox|graph|settings)(?:\/|$)|$)/
const listeners = new Set<() => void>()
let current = read(location.pathname)

/** Read an address; one that names nothing is a new conversation. */
export function read(path: string): Route {
  const [, first = "", second = ""] = path.split("/")
  if (first === "inbox") return { page: "inbox" }
  if (first === "graph") return { page: "graph", assistant: decodeURIComponent(second) }
  if (first === "settings") return { page: "settings", section: second }
  return { page: "chat", thread: THREAD.exec(path)?.[1] ?? "" }
}

/** Go to an address within the page; `instead` leaves no step to come back to. */
export function go(path: string, { instead = false } = {}): void {
  if (instead) history.replaceState(null, "", path)
  else history.pushState(null, "", path)
  arrived()
}

export function useRoute(): Route {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => current,
  )
}

function arrived(): void {
  current = read(location.pathname)
  for (const listener of listeners) listener()
}

window.addEventListener("popstate", arrived)
document.addEventListener("click", followed)

/** A plain click on a plain link to a view stays in the page. */
function followed(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[href]") : null
  const otherwise = event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey
  if (!link || otherwise || link.target || link.hasAttribute("download") || link.origin !== location.origin) return
  if (!VIEWS.test(link.pathname)) return
  event.preventDefault()
  go(link.pathname + link.search)
}
