import type { Json, WireMessage } from "../api/types"

/** What an agent's message tells of the call of the model behind it. */
export interface Facts {
  model: string
  input: number
  cached: number
  output: number
  /** What its turn had used by then; null where nobody counts. */
  turn: { steps: number; tokens: number; usd: number | null } | null
}

/** When a message was asked for, and when its first and its last piece came, in ms; 0 is not known. */
export interface Pace {
  asked: number
  first: number
  last: number
}

type Figures = { [name: string]: Json } | null | undefined

/** What the wire tells of a message; undefined where it tells nothing. */
export function factsOf({ usage_metadata: used, response_metadata: about }: WireMessage): Facts | undefined {
  const model = about?.["model_name"] ?? about?.["artel_model"]
  if (!used && !model) return undefined
  const spent = about?.["spent"] as Figures
  return {
    model: typeof model === "string" ? model : "",
    input: number(used?.input_tokens),
    cached: number(used?.input_token_details?.cache_read),
    output: number(used?.output_tokens),
    turn: spent ? { steps: number(spent["steps"]), tokens: number(spent["tokens"]), usd: priced(spent) } : null,
  }
}

/** Seconds to the first piece, and tokens a second from then on; null where too little is known. */
export function speed(pace: Pace | undefined, output: number): { wait: number | null; rate: number | null } {
  const wait = pace?.asked && pace.first >= pace.asked ? (pace.first - pace.asked) / 1000 : null
  const spoke = pace?.first ? (pace.last - pace.first) / 1000 : 0
  return { wait, rate: spoke > 0.05 && output > 1 ? (output - 1) / spoke : null }
}

function priced(spent: NonNullable<Figures>): number | null {
  return number(spent["priced"]) > 0 ? number(spent["usd"]) : null
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0
}
