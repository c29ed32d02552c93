import { call } from "./client"

/** Calls of models added up. */
export interface Used {
  calls: number
  input_tokens: number
  output_tokens: number
  /** US dollars; null where no price is known. */
  usd: number | null
}

/** What a conversation has used so far. */
export const usedBy = (thread: string) =>
  call<{ total: Used }>("GET", `/api/v1/usage?thread_id=${thread}`).then(({ total }) => total)
