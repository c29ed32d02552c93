import { call, send } from "./client"
import type { Assistant, State } from "./types"

/** A graph as the wire draws it: with `xray` ids name the graphs inside, `coder:model`. */
export interface Drawn {
  nodes: { id: string; data?: { name?: string } | string; metadata?: { __tools?: string[]; __interrupt?: string } | null }[]
  edges: { source: string; target: string; conditional?: boolean; data?: unknown }[]
}

/** An assistant with what it is configured with. */
export interface Configured extends Assistant {
  version: number
  metadata?: { kind?: string; created_by?: string }
  context?: Record<string, unknown>
}

interface Role {
  name: string
  title: string
  tools: string[]
  writes: string[]
}

/** Where a run stands, and where the graphs inside it do. */
export interface Standing extends State {
  tasks?: { name: string; interrupts?: { id: string; value: never }[]; state?: Standing | { configurable: unknown } | null }[]
}

export const MOST_ASSISTANTS = 1_000
export const configured = () => call<Configured[]>("POST", "/assistants/search", { limit: MOST_ASSISTANTS })
export const drawing = (assistant: string, inside: boolean) =>
  call<Drawn>("GET", `/assistants/${assistant}/graph?xray=${inside}`)
export const roles = () => call<Role[]>("GET", "/api/v1/agents")
export const chains = () => call<{ default: string[]; agents: Record<string, string[]> }>("GET", "/api/v1/models")
export const standing = (thread: string) => call<Standing>("GET", `/threads/${thread}/state?subgraphs=true`)

const STEPS = ["updates", "tasks", "debug"]
const TOKENS = "messages-tuple" // of a run that is over they tell nothing more

/** The steps of a run from its first one on, and of one that goes on also what its models say. */
export const steps = (thread: string, run: string, live: boolean, signal: AbortSignal) => {
  const modes = (live ? [...STEPS, TOKENS] : STEPS).map((mode) => `stream_mode=${mode}`).join("&")
  return send("GET", `/threads/${thread}/runs/${run}/stream?${modes}`, undefined, { signal, headers: { "Last-Event-ID": "-1" } })
}
