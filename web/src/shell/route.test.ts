import { expect, test } from "vitest"
import { go, read } from "./route"

const THREAD = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000"

test("an address names a page and what is on it", () => {
  expect(read(`/t/${THREAD}`)).toEqual({ page: "chat", thread: THREAD })
  expect(read("/inbox")).toEqual({ page: "inbox" })
  expect(read("/graph/coder")).toEqual({ page: "graph", assistant: "coder" })
  expect(read("/settings/models")).toEqual({ page: "settings", section: "models" })
})

test("an address that names nothing is a new conversation", () => {
  for (const path of ["/", "/t/", "/t/not-a-thread", "/elsewhere"]) expect(read(path)).toEqual({ page: "chat", thread: "" })
})

test("going somewhere changes the address", () => {
  go("/inbox")
  expect(location.pathname).toBe("/inbox")
})
