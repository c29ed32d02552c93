/** The key that a person has entered for this server: for this tab, or for this browser. */
export interface Key {
  value: string
  /** How it is sent. */
  as: "x-api-key" | "bearer"
}

const NAME = "artel.key"
const listeners = new Set<() => void>()
let wanted = false

export function key(): Key | null {
  const kept = sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME)
  try {
    return kept ? (JSON.parse(kept) as Key) : null
  } catch {
    return null
  }
}

export function isKept(): boolean {
  return localStorage.getItem(NAME) !== null
}

/** Send this key from now on; kept in the browser it is there after it was closed, too. */
export function keep(one: Key, inBrowser: boolean): void {
  forget()
  ;(inBrowser ? localStorage : sessionStorage).setItem(NAME, JSON.stringify(one))
}

export function forget(): void {
  sessionStorage.removeItem(NAME)
  localStorage.removeItem(NAME)
}

/** Put the key onto a request; one that the request brings along itself goes first. */
export function sign(headers: Headers): void {
  const one = key()
  if (one?.as === "x-api-key" && !headers.has("X-Api-Key")) headers.set("X-Api-Key", one.value)
  if (one?.as === "bearer" && !headers.has("Authorization")) headers.set("Authorization", `Bearer ${one.value}`)
}

/** Note whether the server let a request in. */
export function answered(status: number): void {
  if (wanted === (status === 401)) return
  wanted = status === 401
  for (const listener of listeners) listener()
}

/** Whether the last answer was that the server wants a key, or another one. */
export const isWanted = () => wanted

export function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}
