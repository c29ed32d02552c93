import { call } from "./client"
import type { Json, Restored, State } from "./types"

/** A checkpoint without its values. */
export interface Checkpoint {
  checkpoint_id: string
  parent_checkpoint_id: string | null
  source: "input" | "loop" | "update" | "fork"
  step: number
  run_id: string | null
  created_at: string | null
  nodes: string[]
  next: string[]
  message: { id: string | null; type: string; preview: string; tools: string[] } | null
}

/** What putting files back did; the change is null where nothing was to be done. */
export interface PutBack extends Restored {
  change_id: string | null
  problems: string[]
}

/** A state of the past. */
export type PastState = State & { created_at: string | null }

export const checkpoints = {
  /** Newest first; `before` names one, and older ones are told. */
  of: (thread: string, limit: number, before = "") =>
    call<Checkpoint[]>("GET", `/api/v1/threads/${thread}/checkpoints?limit=${limit}${before && `&before=${before}`}`),
  state: (thread: string, checkpoint: string) => call<PastState>("GET", `/threads/${thread}/state/${checkpoint}`),
  /** Write values over a state: a new one that follows it. */
  write: (thread: string, checkpoint: string, values: Json, node: string | undefined) =>
    call<{ checkpoint_id: string }>("POST", `/threads/${thread}/state`, {
      values,
      checkpoint: { checkpoint_id: checkpoint },
      ...(node ? { as_node: node } : {}),
    }),
  files: (thread: string, checkpoint: string, force: boolean) =>
    call<PutBack>("POST", `/api/v1/threads/${thread}/files`, { checkpoint_id: checkpoint, force }),
}
