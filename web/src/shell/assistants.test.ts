import { expect, test } from "vitest"
import type { Assistant } from "../api/types"
import { chosenIn, firstOf, groupsOf, idOf } from "./assistants"

const made = (assistant_id: string, graph_id: string, by = "system"): Assistant => ({
  assistant_id,
  graph_id,
  name: assistant_id,
  description: null,
  metadata: by ? { created_by: by } : {},
})
const ALL = [made("z", "debug"), made("mine", "coder", ""), made("c", "coder"), made("r", "remote_graph"), made("o", "orchestrator")]

test("agents stand by whose they are, the general ones first", () => {
  expect(groupsOf(ALL).map(([kind, list]) => [kind, list.map((one) => one.assistant_id)])).toEqual([
    ["agentsOurs", ["o", "c", "z"]],
    ["agentsYours", ["mine"]],
    ["agentsElsewhere", ["r"]],
  ])
  expect(firstOf(ALL)).toBe("orchestrator")
  expect(firstOf([])).toBe("")
})

test("an assistant that somebody made of a graph is another than the graph's own", () => {
  expect(ALL.filter((one) => one.graph_id === "coder").map(idOf)).toEqual(["mine", "coder"])
  const thread = { thread_id: "t", status: "idle" as const, updated_at: "", metadata: { graph_id: "coder", assistant_id: "mine" } }
  expect(chosenIn(thread, ALL)).toBe("mine")
  expect(chosenIn({ ...thread, metadata: { graph_id: "coder", assistant_id: "gone" } }, ALL)).toBe("coder")
  expect(chosenIn(undefined, ALL)).toBe("")
})
