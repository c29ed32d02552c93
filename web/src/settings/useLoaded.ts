import { useEffect, useState } from "react"
import { sentence } from "../run/session"

export interface Loaded<T> {
  value: T | null
  failed: string
  again: () => void
  set: (change: (now: T) => T) => void
}

/** What the server says, asked once, and again when a person wants it; `ask` must stay the same function. */
export function useLoaded<T>(ask: () => Promise<T>): Loaded<T> {
  const [value, setValue] = useState<T | null>(null)
  const [failed, setFailed] = useState("")
  const [round, setRound] = useState(0)
  useEffect(() => {
    let gone = false
    ask().then(
      (found) => {
        if (gone) return
        setValue(found)
        setFailed("")
      },
      (failure: unknown) => gone || setFailed(sentence(failure)),
    )
    return () => void (gone = true)
  }, [ask, round])
  return { value, failed, again: () => setRound(round + 1), set: (change) => setValue((now) => now && change(now)) }
}
