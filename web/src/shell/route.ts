import { useSyncExternalStore } from "react"

/** What the address says is on the page. */
export type Route =
  | { page: "chat"; thread: string }
  | { page: "inbox" }
  | { page: "graph"; assistant: string }
  | { page: "settings"; section: string }

const THREAD = /^\/t\/([0-9a-f-]{36})/
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
