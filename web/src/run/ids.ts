const V7 = /([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

/** A UUIDv7, as the server makes them: it says when it was made. */
export function newId(now = Date.now()): string {
  const time = now.toString(16).padStart(12, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`
}

/** When an id was made, in ms; 0 where it does not say. */
export function madeAt(id: string): number {
  const found = V7.exec(id)
  return found ? parseInt(`${found[1]}${found[2]}`, 16) : 0
}
