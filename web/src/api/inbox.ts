import { call, runs, threads } from "./client"
import type { Approval, Decision, Json } from "./types"

/** A question that waits, told in a line. */
export interface Waiting {
  /** Null: the ledger does not know it, and it is answered over the wire. */
  approval_id: string | null
  interrupt_id: string
  thread_id: string
  title: string
  graph_id: string
  kind: Approval["kind"]
  tool: string | null
  about: string
  agent: string | null
  asked_at: string
  expires_at: string | null
}

/** The last run of a conversation. */
export interface Ended {
  run_id: string
  thread_id: string
  title: string
  failed: boolean
  ended_at: string
  took_s: number
}

export interface Inbox {
  waiting: Waiting[]
  /** More waits than was asked for. */
  more: boolean
  ended: Ended[]
}

export const look = (limit: number, since: string) =>
  call<Inbox>("GET", `/api/v1/inbox?limit=${limit}&since=${encodeURIComponent(since)}`)

/** The whole of a question; null if nobody asks it any more. */
export async function whole(one: Waiting): Promise<Approval | null> {
  if (one.approval_id) {
    const asked = await call<Approval>("GET", `/api/v1/approvals/${one.approval_id}`)
    return asked.status === "pending" ? asked : null
  }
  const { interrupts = {} } = await threads.get(one.thread_id)
  const asked = Object.values(interrupts).flat().find((other) => other.id === one.interrupt_id)
  if (!asked) return null
  const { thread_id, interrupt_id, kind, tool, expires_at } = one
  return {
    approval_id: interrupt_id,
    thread_id,
    run_id: "",
    interrupt_id,
    kind,
    tool,
    args: null,
    value: asked.value,
    status: "pending",
    expires_at,
  }
}

export const decide = (asked: Approval, decision: Decision) =>
  call<unknown>("POST", `/api/v1/approvals/${asked.approval_id}`, { decision })

/** Answer a question of somebody else's graph. */
export const resume = (one: Waiting, answer: Json) =>
  runs.queue(one.thread_id, { assistant_id: one.graph_id, command: { resume: { [one.interrupt_id]: answer } } })
