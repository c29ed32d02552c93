import { lazy, Suspense, useEffect } from "react"
import type { Assistant, Thread } from "../api/types"
import { commands, writes } from "../ui/keys"

const Palette = lazy(() => import("./Palette"))
const Shortcuts = lazy(() => import("./Shortcuts"))

/** What lies over the page: all that can be done, the keys of the page, or nothing. */
export type Overlay = "palette" | "keys" | ""

export interface CommandsProps {
  overlay: Overlay
  put: (overlay: Overlay) => void
  threads: Thread[]
  assistants: Assistant[]
  open: string
  visit: (path: string) => void
  talkTo: (agent: string) => void
  show: (tab: string) => void
}

/** The keys that work everywhere, and what they open. */
export function Commands(props: CommandsProps) {
  const { overlay, put, visit } = props
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.isComposing) return
      if (commands(event) && !event.shiftKey && event.code === "KeyK") put(overlay === "palette" ? "" : "palette")
      else if (commands(event) && event.shiftKey && event.code === "KeyO") visit("/")
      else if (event.key === "?" && !overlay && !writes(event.target) && !document.querySelector("dialog[open]")) put("keys")
      else return
      event.preventDefault()
    }
    window.addEventListener("keydown", pressed)
    return () => window.removeEventListener("keydown", pressed)
  })
  return (
    <Suspense>
      {overlay === "palette" && <Palette {...props} />}
      {overlay === "keys" && <Shortcuts close={() => put("")} />}
    </Suspense>
  )
}
