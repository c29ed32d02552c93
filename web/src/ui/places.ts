/** A place in a file. */
export interface Place {
  path: string
  /** 0: the file as such. */
  line: number
}

const HOSTS = /\.(?:com|org|net|io|dev|local)$/i
const NAMELESS = /(?:^|\/)(?:Makefile|Dockerfile|LICENSE|README|Justfile|Procfile)$/
const LINED = /^(.+?)(?::|#L)(\d{1,7})(?:(?:-|–|:)L?\d{1,7})?$/
const PATH = /^(?:\.{0,2}\/)?[\w@.+~-]+(?:\/[\w@.+~ -]+)*$/
const NAMED = /\.[A-Za-z][A-Za-z0-9]{0,9}$/

/** The place that `path/file.py:12`, `path:12-20` or `path#L12` names; without a line only where `bare` ones count. */
export function placeOf(text: string, bare = false): Place | null {
  if (text.length > 300) return null
  const [, named, line] = LINED.exec(text) ?? []
  const path = named ?? (bare ? text.replace(/[#?].*$/, "") : "")
  if (!PATH.test(path) || HOSTS.test(path)) return null
  if (!NAMED.test(path) && !NAMELESS.test(path) && !(line && /[A-Za-z]/.test(path) && path.includes("/"))) return null
  return { path, line: Number(line ?? 0) }
}

/** A picture that comes with the text itself: looking at it asks nobody. */
export function isPicture(address: string): boolean {
  return /^data:image\/(?:png|jpe?g|gif|webp|avif);base64,[\w+/=]+$/.test(address)
}

export function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;")
}
