import { call, threads } from "./client"
import type { Approval, Json } from "./types"

/** A question as the server keeps it, with who asked and what became of it. */
export interface Asked extends Approval {
  tool_call_id: string | null
  agent: string | null
  agent_path: string[]
  asked_at: string
  decision: Json
  decided_at: string | null
  decided_by: string | null
  /** The run that carried the answer. */
  answer_run_id: string | null
}

/** The questions of a thread, newest first, answered ones too. */
export const asked = (thread: string, limit: number) =>
  call<Asked[]>("GET", `/api/v1/approvals?thread_id=${thread}&limit=${limit}`)

export const one = (id: string) => call<Asked>("GET", `/api/v1/approvals/${id}`)

/** Answer with whatever the question takes: any JSON but null. */
export const respond = (id: string, answer: Json) =>
  call<{ run_id: string; thread_id: string }>("POST", `/api/v1/hitl/requests/${id}/respond`, { answer })

/** Whether the server keeps a question itself; of others only the graph's state tells. */
export const isKept = (one: Approval) => one.approval_id !== one.interrupt_id

const RUNS = 100 // looked at for the words that began them

/** The words of the person that each run began with, by their message's id. */
export async function beginnings(thread: string): Promise<ReadonlyMap<string, string>> {
  const found = await threads.runs(thread, RUNS)
  return new Map(found.flatMap((run) => {
    const message = run.kwargs?.input?.messages?.at(-1)?.id
    return message ? [[run.run_id, message] as const] : []
  }))
}
