export type Theme = "system" | "light" | "dark"

const KEPT = "artel.theme"
const listeners = new Set<() => void>()
const wantsDark = window.matchMedia("(prefers-color-scheme: dark)")

export function theme(): Theme {
  const kept = localStorage.getItem(KEPT)
  return kept === "light" || kept === "dark" ? kept : "system"
}

/** Colour the page, now and after a reload. */
export function colour(chosen: Theme): void {
  localStorage.setItem(KEPT, chosen)
  const dark = chosen === "dark" || (chosen === "system" && wantsDark.matches)
  document.documentElement.dataset["theme"] = dark ? "dark" : "light"
  for (const listener of listeners) listener()
}

/** Be told when the page is coloured anew. */
export function watch(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

wantsDark.addEventListener("change", () => colour(theme()))
