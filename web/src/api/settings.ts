import { call } from "./client"

export interface ModelStanding {
  model: string
  state: "closed" | "open" | "half_open"
  failures: number
  open_for_s: number
  last_error: string | null
  last_error_at: string | null
  latency: { answers: number; first_p50_s: number | null; whole_p50_s: number | null }
  rate: Record<string, number> | null
  rate_left: Record<string, number> | null
  window?: number | null
  price?: { input: number; output: number; cached: number | null } | null
}

export interface Models {
  default: string[]
  agents: Record<string, string[]>
  models: ModelStanding[]
  problem: string | null
}

export interface Health {
  status: string
  dependencies: Record<string, { status: string; reason: string | null }>
}

export interface Grant {
  grant_id: string
  scope: "thread" | "project" | "always"
  thread_id: string | null
  workspace: string | null
  label: string
  created_at: string
  expires_at: string | null
  used: number
}

export interface Rule {
  id: string
  effect: "allow" | "ask" | "deny"
  action: string
  path: string[]
  argv: string[]
  reason: string
}

export interface Policy {
  policy: { default: Rule["effect"]; floor: Rule[]; rules: Rule[] }
  version: number
}

export interface Verdict {
  verdict: Rule["effect"]
  rule: string
  reason: string
}

export interface Memory {
  key: string
  scope: "user" | "project"
  fact: string
  why: string
  agent: string
  thread_id: string
  approved: boolean
  tainted: boolean
  updated_at: string
}

export interface McpServer {
  name: string
  transport: string
  state: "idle" | "connecting" | "ready" | "failed"
  agents: string[]
  trusted: boolean
  tools: { name: string; description: string }[]
  left_out: string[]
  error: string
}

export interface Sum {
  key: string
  calls: number
  input_tokens: number
  cached_tokens: number
  output_tokens: number
  usd: number | null
  unpriced: number
}

export interface Usage {
  total: Sum
  groups: Sum[]
}

export const MOST_GRANTS = 200
export const MOST_GROUPS = 60

export const models = () => call<Models>("GET", "/api/v1/models")
export const health = () => call<Health>("GET", "/health")
export const letsIn = () => call<unknown>("POST", "/threads/search", { limit: 1, select: ["thread_id"] })
export const usage = (by: "day" | "agent" | "model") => call<Usage>("GET", `/api/v1/usage?group_by=${by}&limit=${MOST_GROUPS}`)

export const grants = {
  all: () => call<Grant[]>("GET", `/api/v1/grants?limit=${MOST_GRANTS}`),
  revoke: (id: string) => call<undefined>("DELETE", `/api/v1/grants/${id}`),
}

export const policy = {
  get: () => call<Policy>("GET", "/api/v1/policy"),
  explain: (agent: string, tool: string, args: Record<string, string>) =>
    call<Verdict>("POST", "/api/v1/policy/explain", { agent, tool, args }),
}

export const memories = {
  all: () => call<Memory[]>("GET", "/api/v1/memories"),
  change: ({ scope, key }: Memory, change: { fact?: string; approved?: boolean }) =>
    call<Memory>("PATCH", `/api/v1/memories/${scope}/${key}`, change),
  forget: ({ scope, key }: Memory) => call<undefined>("DELETE", `/api/v1/memories/${scope}/${key}`),
}

export const mcp = {
  all: () => call<McpServer[]>("GET", "/api/v1/mcp/servers"),
  restart: (name: string) => call<McpServer>("POST", `/api/v1/mcp/servers/${encodeURIComponent(name)}/restart`),
}
