import type { Assistant, Thread } from "../api/types"

const FIRST = ["orchestrator", "coder", "ask"] // in this order, before all others
const ELSEWHERE = new Set(["remote_graph", "openai_responses"]) // graphs that speak to other servers

export type Kind = "agentsOurs" | "agentsYours" | "agentsElsewhere"

/** Whether it is somebody to talk to: a workflow is started by what needs it. */
export function talks(assistant: Assistant): boolean {
  return assistant.metadata?.kind !== "workflow"
}

/** How a run names it: a graph's own assistant by the graph, one that somebody made by its id. */
export function idOf(assistant: Assistant): string {
  return assistant.metadata?.created_by === "system" ? assistant.graph_id : assistant.assistant_id
}

/** Who is asked where nobody was chosen. */
export function firstOf(assistants: Assistant[]): string {
  const [ours] = sorted(assistants)
  return ours ? idOf(ours) : ""
}

/** Who answers in a conversation, as a run names it; "": nobody yet. */
export function chosenIn(thread: Thread | undefined, assistants: Assistant[]): string {
  const { assistant_id = "", graph_id = "" } = thread?.metadata ?? {}
  const known = assistants.find((one) => one.assistant_id === assistant_id)
  return known ? idOf(known) : graph_id
}

export function groupsOf(assistants: Assistant[]): [Kind, Assistant[]][] {
  const groups: Record<Kind, Assistant[]> = { agentsOurs: [], agentsYours: [], agentsElsewhere: [] }
  for (const one of sorted(assistants)) {
    const own = one.metadata?.created_by !== "system"
    groups[ELSEWHERE.has(one.graph_id) ? "agentsElsewhere" : own ? "agentsYours" : "agentsOurs"].push(one)
  }
  return (Object.entries(groups) as [Kind, Assistant[]][]).filter(([, list]) => list.length)
}

// `localeCompare` loads tables that take a phone longer than drawing the page.
const order = (a: string, b: string) => (a < b ? -1 : Number(a > b))

function sorted(assistants: Assistant[]): Assistant[] {
  const place = (one: Assistant) => {
    const at = one.metadata?.created_by === "system" ? FIRST.indexOf(one.graph_id) : -1
    return at < 0 ? FIRST.length : at
  }
  return [...assistants].sort((a, b) => place(a) - place(b) || order(a.name.toLowerCase(), b.name.toLowerCase()))
}
