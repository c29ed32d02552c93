import { call } from "./client"

/** What a person has decided in a conversation, and who changed it since. */
export interface Decided {
  id: string
  question: string
  options: string[]
  multiple: boolean
  /** Empty: it was left to the agent. */
  answer: string[]
  status: "active" | "revoked"
  by: string
  at: string
  agent: string
  edits: { by: string; at: string }[]
}

/** A fact that outlives a conversation. */
export interface Memory {
  key: string
  scope: "user" | "project"
  fact: string
  why: string
  agent: string
  approved: boolean
  tainted: boolean
  updated_at: string
}

const of = (thread: string, id: string) => `/api/v1/threads/${thread}/decisions/${encodeURIComponent(id)}`
export const decisions = {
  of: (thread: string) => call<Decided[]>("GET", `/api/v1/threads/${thread}/decisions`),
  change: (thread: string, id: string, answer: string[]) => call<Decided>("PATCH", of(thread, id), { answer }),
  revoke: (thread: string, id: string) => call<Decided>("DELETE", of(thread, id)),
}

const at = (one: Memory, workspace: string) =>
  `/api/v1/memories/${one.scope}/${one.key}?workspace=${encodeURIComponent(workspace)}`
export const memories = {
  of: (workspace: string) => call<Memory[]>("GET", `/api/v1/memories?workspace=${encodeURIComponent(workspace)}`),
  change: (one: Memory, workspace: string, change: { fact?: string; approved?: boolean }) =>
    call<Memory>("PATCH", at(one, workspace), change),
  forget: (one: Memory, workspace: string) => call<undefined>("DELETE", at(one, workspace)),
}
