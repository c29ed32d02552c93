/** What the server sends, as far as the page reads it. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type Args = Record<string, Json>

export interface ToolCall {
  id: string
  name: string
  args: Args
}

export interface ToolCallChunk {
  index?: number | null
  id?: string | null
  name?: string | null
  args?: string | null
}

export type Content = string | { type: string; text?: string }[]

export interface WireMessage {
  id: string
  type: "human" | "ai" | "AIMessageChunk" | "tool" | "system"
  content: Content
  name?: string | null
  tool_calls?: ToolCall[]
  tool_call_chunks?: ToolCallChunk[]
  tool_call_id?: string
  status?: "success" | "error"
  response_metadata?: Record<string, Json>
  usage_metadata?: { input_tokens: number; output_tokens: number; input_token_details?: { cache_read?: number } } | null
}

export interface Route {
  agent: string
  reason: string
}

/** Words to the agent while it works; `waiting` ones it has not heard. */
export interface Steered {
  steering_id: string
  text: string
  status: "waiting" | "taken" | "delivered"
}

/** A step of the work, as the agent has it. */
export interface Todo {
  id: string
  content: string
  status: "pending" | "in_progress" | "completed" | "failed" | "cancelled"
  activeForm?: string
}

export interface Values {
  messages?: WireMessage[]
  route?: Route | null
  todos?: Todo[] | null
  plan?: Plan | null
  compacted?: Partial<Compacted> | null
}

/** What stands for old messages where a model cannot be shown them: written by code, `prose` by a model. */
export interface Chapter {
  words: string[]
  unsaid: number
  tools: Record<string, number>
  failed: number
  files: string[]
  answers: string[]
  prose: string
}

/** How a thread is shown to a model since it does not fit: chapters up to the group that `until` begins. */
export interface Compacted {
  until: string
  kept: string[]
  chapters: Partial<Chapter>[]
}

export type ThreadStatus = "idle" | "busy" | "interrupted" | "error"

export interface Thread {
  thread_id: string
  status: ThreadStatus
  updated_at: string
  metadata: { title?: string; graph_id?: string; assistant_id?: string; workspace?: string; pinned?: boolean }
  error?: { error: string; message: string } | null
  interrupts?: Record<string, { id: string; value: Json }[]>
}

export type RunStatus = "pending" | "running" | "success" | "error" | "timeout" | "interrupted"

export interface Run {
  run_id: string
  thread_id: string
  status: RunStatus
  created_at: string
  /** Its place in the queue, while it waits there. */
  queue_position?: number
  kwargs?: { input?: { messages?: Partial<WireMessage>[] } | null }
}

export interface Interrupt {
  id: string
  value: Json
  response_schema?: Json
}

export interface State {
  values: Values
  next: string[]
  interrupts?: Interrupt[]
  tasks?: { interrupts?: Interrupt[] }[]
}

export interface Assistant {
  assistant_id: string
  graph_id: string
  name: string
  description: string | null
  metadata?: { kind?: string; created_by?: string }
}

export interface Info {
  version: string
  model: { name: string; offline: boolean; label: string } | null
  roots: string[]
  default_workspace: string
  off: string[]
  attachment_mb?: number
}

export interface Question {
  type?: string
  question?: string
  description?: string
  options?: { id: string; label: string }[]
  name?: string
  args?: Args
  plan?: Plan
  artel?: {
    agent?: string
    risk?: string
    reason?: string
    path?: string
    diff?: string
    command?: string
    workdir?: string
    problem?: string
    tainted?: boolean
    files?: ChangedFile[]
    grants?: Offer[]
  }
}

export interface Plan {
  goal: string
  version: number
  /** 2: of a step of another plan. */
  depth?: number
  status: "proposed" | "running" | "done" | "cancelled"
  steps: PlanStep[]
}

export interface PlanStep {
  id: string
  title: string
  agent: string
  status: "pending" | "in_progress" | "completed" | "failed" | "cancelled"
  depends_on?: string[]
  acceptance?: string
  checks?: string[]
  inputs?: string[]
  paths?: string[]
  attempts?: number
  result?: StepResult | null
  spent?: { tokens?: number; priced?: number; usd?: number; ms?: number }
}

/** What came of a step; `runtime` wrote it for an agent that did not. */
export interface StepResult {
  summary: string
  by: "agent" | "runtime"
  files: { path: string; added?: number; removed?: number }[]
  evidence: string[]
  open_questions: string[]
  notes: string[]
}

/** One of the questions that an agent asks at once. */
export interface Asked {
  id: string
  header?: string
  question: string
  options: string[]
  descriptions?: Record<string, string>
  multiple: boolean
  required: boolean
}

/** What a person says to one of them; null leaves it to the agent. */
export type Answer = { options: string[]; words: string } | null

export type Scope = "thread" | "project" | "always"

/** What need not be asked again, if the person says so. */
export interface Offer {
  id: string
  label: string
  scopes: Scope[]
}

/** A file of a change as a person is asked about it. */
export interface ChangedFile {
  path: string
  diff: string
  hunks: { id: string; header: string }[]
}

export interface Approval {
  approval_id: string
  thread_id: string
  run_id: string
  interrupt_id: string
  kind: "tool_call" | "question" | "plan" | "foreign"
  tool: string | null
  args: Args | null
  value: Question | Json
  /** What the graph says an answer must look like. */
  schema?: Json
  agent?: string | null
  /** The nodes that led to who asks. */
  agent_path?: string[]
  status: "pending" | "approved" | "rejected" | "timeout" | "superseded"
  expires_at: string | null
}

export type Decision =
  | { type: "approve"; hunks?: string[]; grant?: { scope: Scope; covers: string } }
  | { type: "edit"; edited_action: { name: string; args: Args } }
  | { type: "reject"; message?: string }
  | { type: "respond"; message: string }
  | { type: "respond"; answers: Record<string, Answer> }

/** What a step did to the files. */
export interface Change {
  change_id: string
  tool_call_id: string | null
  problem: string | null
  undone: boolean
}

/** What an undo did. */
export interface Restored {
  changed: { path: string; kind: string }[]
  conflicts: { path: string; reason: string }[]
}

export interface StreamEvent {
  event: string
  data: string
  id: string
  /** When it came, in ms; not set when it was replayed. */
  at?: number
}

/** What a person thinks of a message: 1 is thumbs up. */
export interface Feedback {
  feedback_id: string
  message_id: string | null
  score: 1 | -1
  comment: string | null
}
