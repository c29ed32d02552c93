import { answered, sign } from "./key"
import type { Approval, Assistant, Change, Decision, Feedback, Info, Json, Restored, Run, State, Steered, Thread, WireMessage } from "./types"

export const MODES = ["values", "messages-tuple", "updates", "custom"]

/** The server said no: `status` and its sentence. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

/** Ask the server; anything but success is `Refused`. */
export async function send(method: string, path: string, body?: unknown, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers)
  if (body !== undefined) headers.set("Content-Type", "application/json")
  const init: RequestInit = { ...options, method, headers }
  if (body !== undefined) init.body = JSON.stringify(body)
  sign(headers)
  const response = await fetch(path, init)
  answered(response.status)
  if (response.ok) return response
  const text = await response.text()
  throw new Refused(response.status, sentence(text) || `${response.status} ${response.statusText}`)
}

function sentence(text: string): string {
  try {
    const said = JSON.parse(text) as { detail?: unknown }
    return typeof said.detail === "string" ? said.detail : text
  } catch {
    return text
  }
}

/** Ask the server for JSON. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await send(method, path, body)
  return (response.status === 204 ? undefined : await response.json()) as T
}

export const info = () => call<Info>("GET", "/api/v1/info")
export const assistants = () => call<Assistant[]>("POST", "/assistants/search", { limit: 100 })

const LISTED = ["thread_id", "status", "updated_at", "metadata", "interrupts"]
export const threads = {
  search: (limit = 100) =>
    call<Thread[]>("POST", "/threads/search", { limit, sort_by: "updated_at", sort_order: "desc", select: LISTED }),
  create: (metadata: Thread["metadata"]) => call<Thread>("POST", "/threads", { metadata }),
  get: (id: string) => call<Thread>("GET", `/threads/${id}`),
  rename: (id: string, title: string) => call<Thread>("PATCH", `/threads/${id}`, { metadata: { title } }),
  remove: (id: string) => call<undefined>("DELETE", `/threads/${id}`),
  state: (id: string) => call<State>("GET", `/threads/${id}/state`),
  runs: (id: string, limit = 10) => call<Run[]>("GET", `/threads/${id}/runs?limit=${limit}`),
}

export interface RunStart {
  assistant_id: string
  /** Null goes on from the last checkpoint. */
  input?: { messages: Pick<WireMessage, "content" | "id" | "type">[] } | null
  command?: { resume: Json }
  context?: { workspace: string }
  /** Where in the thread's past it begins; without it at the newest checkpoint. */
  checkpoint?: { checkpoint_id: string }
}

export const runs = {
  /** Start a run and return its live stream; it goes on when we hang up. */
  stream: (thread: string, start: RunStart, signal: AbortSignal) =>
    send("POST", `/threads/${thread}/runs/stream`, { ...start, ...STREAMED }, { signal }),
  join: (thread: string, run: string, after: string, signal: AbortSignal) =>
    send("GET", `/threads/${thread}/runs/${run}/stream?${MODE_QUERY}`, undefined, {
      signal,
      headers: { "Last-Event-ID": after },
    }),
  /** Put a run behind the one that is on. */
  queue: (thread: string, start: RunStart) => call<Run>("POST", `/threads/${thread}/runs`, { ...start, ...STREAMED }),
  get: (thread: string, run: string) => call<Run>("GET", `/threads/${thread}/runs/${run}`),
  cancel: (thread: string, run: string) => send("POST", `/threads/${thread}/runs/${run}/cancel?wait=0`),
}

export const steering = {
  /** What the agent has not heard yet for certain. */
  of: (thread: string) => call<Steered[]>("GET", `/api/v1/threads/${thread}/steer`),
  say: (thread: string, text: string) =>
    call<{ steering: Steered }>("POST", `/api/v1/threads/${thread}/steer`, { text }).then((told) => told.steering),
  change: (thread: string, id: string, text: string) =>
    call<Steered>("PATCH", `/api/v1/threads/${thread}/steer/${id}`, { text }),
  remove: (thread: string, id: string) => call<undefined>("DELETE", `/api/v1/threads/${thread}/steer/${id}`),
}

const STREAMED = {
  stream_mode: MODES,
  stream_subgraphs: true,
  stream_resumable: true,
  on_disconnect: "continue",
  multitask_strategy: "enqueue",
}
const MODE_QUERY = MODES.map((mode) => `stream_mode=${mode}`).join("&")

export const approvals = {
  pending: (thread: string) => call<Approval[]>("GET", `/api/v1/approvals?status=pending&thread_id=${thread}`),
  answer: (id: string, decision: Decision | { decisions: Decision[] }) =>
    call<{ run_id: string; thread_id: string }>("POST", `/api/v1/approvals/${id}`, { decision }),
}

export const changes = {
  of: (thread: string, callId: string) =>
    call<Change[]>("GET", `/api/v1/threads/${thread}/changes?tool_call_id=${encodeURIComponent(callId)}`),
  undo: (thread: string, change: string, force: boolean) =>
    call<Restored>("POST", `/api/v1/threads/${thread}/undo`, { change, force }),
}

export const feedback = {
  of: (thread: string) => call<Feedback[]>("GET", `/api/v1/feedback?thread_id=${thread}&limit=1000`),
  put: (thread: string, message: string, score: 1 | -1, comment: string) =>
    call<Feedback>("PUT", "/api/v1/feedback", { thread_id: thread, message_id: message, score, comment }),
  remove: (id: string) => call<undefined>("DELETE", `/api/v1/feedback/${id}`),
}
