import type { Json, Values, WireMessage } from "../api/types"

/** What differs between two states. */
export interface Difference {
  added: WireMessage[]
  gone: WireMessage[]
  changed: { before: WireMessage; after: WireMessage }[]
  keys: { key: string; before: Json | undefined; after: Json | undefined }[]
}

export function compare(before: Values, after: Values): Difference {
  const had = new Map((before.messages ?? []).map((one) => [one.id, one]))
  const has = new Map((after.messages ?? []).map((one) => [one.id, one]))
  const both = [...has.values()].flatMap((one) => {
    const old = had.get(one.id)
    return old && !same(old, one) ? [{ before: old, after: one }] : []
  })
  const old = before as Record<string, Json | undefined>
  const now = after as Record<string, Json | undefined>
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((key) => key !== "messages").sort()
  return {
    added: [...has.values()].filter((one) => !had.has(one.id)),
    gone: [...had.values()].filter((one) => !has.has(one.id)),
    changed: both,
    keys: names.filter((key) => !same(old[key], now[key])).map((key) => ({ key, before: old[key], after: now[key] })),
  }
}

/** What has to be written so that `before` becomes `after`: what a reducer joins, it joins again. */
export function written(before: Values, after: Values): Record<string, Json> {
  const { added, gone, changed, keys } = compare(before, after)
  const messages = [
    ...gone.map((one) => ({ type: "remove", id: one.id, content: "" })),
    ...changed.map((one) => one.after),
    ...added,
  ] as unknown as Json[]
  const rest = Object.fromEntries(keys.map(({ key, after: value }) => [key, value ?? null]))
  return messages.length ? { ...rest, messages } : rest
}

/** The words of a message in one line. */
export function words(one: WireMessage): string {
  const text = typeof one.content === "string" ? one.content : one.content.map((block) => block.text ?? "").join(" ")
  const calls = (one.tool_calls ?? []).map((call) => call.name).join(", ")
  return text.trim() || calls
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
