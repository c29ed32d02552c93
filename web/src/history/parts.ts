import type { Json, Todo, Values, WireMessage } from "../api/types"
import { written } from "./compare"

/** What of a state a person may edit by itself. */
export type Part = "last" | "todos" | "whole"
export const PARTS: readonly Part[] = ["last", "todos", "whole"]

/** A part of a state as text; null where the state has none such. */
export function draft(values: Values, part: Part): string | null {
  if (part === "last") return values.messages?.length ? pretty(values.messages.at(-1)) : null
  if (part === "todos") return values.todos ? pretty(values.todos) : null
  return pretty(values)
}

/** What an edited text would write, or what is wrong with it. */
export function parsed(values: Values, part: Part, text: string): { values: Record<string, Json> } | { wrong: string } {
  let read: Json
  try {
    read = JSON.parse(text) as Json
  } catch (failure) {
    return { wrong: failure instanceof Error ? failure.message : String(failure) }
  }
  if (part === "todos") return Array.isArray(read) ? write(values, { todos: read as unknown as Todo[] }) : { wrong: "[…]" }
  if (read === null || typeof read !== "object" || Array.isArray(read)) return { wrong: "{…}" }
  if (part === "whole") return { values: written(values, read as Values) }
  const messages = [...(values.messages ?? []).slice(0, -1), read as unknown as WireMessage]
  return write(values, { messages })
}

function write(values: Values, change: Values): { values: Record<string, Json> } {
  return { values: written(values, { ...values, ...change }) }
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2)
}
