import type { Assistant } from "../api/types"

const FIRST_AGENT = "orchestrator"

/** Whether it is somebody to talk to: a workflow is started by what needs it. */
export function talks(assistant: Assistant): boolean {
  return assistant.metadata?.kind !== "workflow"
}

/** Who is asked where nobody was chosen. */
export function firstOf(assistants: Assistant[]): string {
  const ours = assistants.find((one) => one.graph_id === FIRST_AGENT) ?? assistants[0]
  return ours?.graph_id ?? ""
}
