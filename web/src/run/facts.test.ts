import { expect, test } from "vitest"
import type { StreamEvent } from "../api/types"
import { empty, reduce, said } from "./events"
import { factsOf, speed } from "./facts"

const at = (ms: number, name: string, data: unknown): StreamEvent => ({ event: name, data: JSON.stringify(data), id: "", at: ms })
const used = { input_tokens: 40, output_tokens: 21, input_token_details: { cache_read: 30 } }
const about = { model_name: "small", spent: { steps: 2, tokens: 90, priced: 90, usd: 0.5 } }

test("a message tells its model, its tokens and what its turn has used; without them nothing", () => {
  expect(factsOf({ id: "a", type: "ai", content: "", usage_metadata: used, response_metadata: about })).toEqual({
    model: "small",
    input: 40,
    cached: 30,
    output: 21,
    turn: { steps: 2, tokens: 90, usd: 0.5 },
  })
  const unpriced = { ...about, spent: { steps: 1, tokens: 5 } }
  expect(factsOf({ id: "a", type: "ai", content: "", response_metadata: unpriced })?.turn?.usd).toBeNull()
  expect(factsOf({ id: "a", type: "ai", content: "" })).toBeUndefined()
})

test("the time to the first token counts from what its graph did before, and the speed from there to the last", () => {
  const chunk = (content: string, more = {}) => [{ id: "a", type: "AIMessageChunk", content, ...more }, {}]
  const live = [
    at(1000, "values|coder:1", {}),
    at(1100, "updates", {}),
    at(1500, "messages|coder:1", chunk("one")),
    at(3500, "messages|coder:1", chunk(" two")),
    at(3600, "messages|coder:1", chunk("", { usage_metadata: used })),
  ].reduce(reduce, empty)
  const [one] = said(live)
  expect(one?.pace).toEqual({ asked: 1000, first: 1500, last: 3500 })
  expect(speed(one?.pace, one?.facts?.output ?? 0)).toEqual({ wait: 0.5, rate: 10 })
  const kept = reduce(live, at(4000, "values", { messages: [{ id: "a", type: "ai", content: "one two", usage_metadata: used }] }))
  expect(said(kept)[0]?.pace).toEqual(one?.pace)
})

test("of a message that was replayed no speed is known", () => {
  expect(speed(undefined, 20)).toEqual({ wait: null, rate: null })
})
