import { expect, test } from "vitest"
import type { Asked, Json } from "../api/types"
import { answersOf, isComplete, questionsOf, toggled } from "./answers"

const one: Asked = { id: "db", question: "Which?", options: ["A", "B"], multiple: false, required: true }
const many: Asked = { id: "more", question: "Что ещё?", options: ["x", "y", "z"], multiple: true, required: false }

test("the questions are found in either form, and a plain question has none", () => {
  const value = { type: "question", questions: [one, many] } as unknown as Json
  const inbox = [{ action_request: { action: "question", args: { questions: [one] } } }] as unknown as Json
  expect(questionsOf(value)).toEqual([one, many])
  expect(questionsOf(inbox)).toEqual([one])
  for (const other of [null, "x", { type: "question", question: "?" }, { questions: [5] }, [], [[1]]] as Json[]) {
    expect(questionsOf(other)).toEqual([])
  }
})

test("one option takes the place of another, several stand in the order that was offered", () => {
  expect(toggled(one, ["A"], "B")).toEqual(["B"])
  expect(toggled(many, ["z"], "x")).toEqual(["x", "z"])
  expect(toggled(many, ["x", "z"], "x")).toEqual(["z"])
})

test("what is required needs an option or words, and the rest is left to the agent", () => {
  expect(isComplete([one, many], {})).toBe(false)
  expect(isComplete([one, many], { db: { options: [], words: "  " } })).toBe(false)
  const said = { db: { options: [], words: " in memory " } }
  expect(isComplete([one, many], said)).toBe(true)
  expect(answersOf([one, many], said)).toEqual({ db: { options: [], words: "in memory" }, more: null })
})
