import { type ComponentType, type ReactNode, useEffect, useState, useSyncExternalStore } from "react"

/** A part that is fetched when it is needed, or before by `fetch`; `instead` stands there until it has come.
 *
 * Unlike below `Suspense`, what has come is drawn at once: React holds it back for 300 ms after a fallback was shown.
 */
export function later<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>, instead: ReactNode = null) {
  let Part: ComponentType<Props> | null = null
  let failure: Error | null = null
  let asked: Promise<void> | null = null
  const listeners = new Set<() => void>()
  const told = () => listeners.forEach((listener) => listener())

  function fetch(): Promise<void> {
    asked ??= load().then(
      (part) => {
        Part = part.default
        told()
      },
      (failed: unknown) => {
        failure = failed instanceof Error ? failed : new Error(String(failed))
        asked = null
        told()
      },
    )
    return asked
  }

  function subscribe(listener: () => void) {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  function Later(props: Props) {
    const Come = useSyncExternalStore(subscribe, () => Part)
    const failed = useSyncExternalStore(subscribe, () => failure)
    const [before] = useState(failed) // who draws it again asks again
    useEffect(() => {
      if (!Come) void fetch()
    }, [Come])
    if (failed && failed !== before && !Come) throw failed
    return Come ? <Come {...props} /> : instead
  }
  return Object.assign(Later, { fetch })
}
