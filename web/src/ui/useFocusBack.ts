import { useState } from "react"

/** Gives the focus back to where it was when a dialog opened, unless something else has taken it since. */
export function useFocusBack(): (event: Event) => void {
  const [before] = useState(() => document.activeElement)
  return (event) => {
    event.preventDefault()
    if (document.activeElement === document.body && before instanceof HTMLElement && before.isConnected) before.focus()
  }
}
