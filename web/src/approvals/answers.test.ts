import { expect, test } from "vitest"
import type { Asked, Json } from "../api/types"
import { answersOf, missing, NOTHING, othered, questionsOf, toggled } from "./answers"

const one: Asked = { id: "db", question: "Which?", options: ["A", "B"], multiple: false, required: true }
const many: Asked = { id: "more", question: "Что ещё?", options: ["x", "y", "z"], multiple: true, required: false }
const open: Asked = { id: "name", question: "Name?", options: [], multiple: false, required: true }
const ids = (questions: Asked[]) => questions.map((each) => each.id)

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
  const chosen = (asked: Asked, ...labels: string[]) => labels.reduce((said, label) => toggled(asked, said, label), NOTHING).options
  expect(chosen(one, "A", "B")).toEqual(["B"])
  expect(chosen(many, "z", "x")).toEqual(["x", "z"])
  expect(chosen(many, "z", "x", "x")).toEqual(["z"])
})

test("words of one's own take the place of the one option, and stand beside several", () => {
  expect(othered(one, toggled(one, NOTHING, "A"))).toMatchObject({ options: [], other: true })
  expect(toggled(one, othered(one, NOTHING), "A")).toMatchObject({ options: ["A"], other: false })
  expect(othered(many, toggled(many, NOTHING, "y"))).toMatchObject({ options: ["y"], other: true })
})

test("what is required needs an option or words, and so does Other; the rest is left to the agent", () => {
  expect(ids(missing([one, many, open], {}))).toEqual(["db", "name"])
  const blank = { db: { ...NOTHING, other: true, words: "  " }, more: { ...NOTHING, other: true }, name: NOTHING }
  expect(ids(missing([one, many, open], blank))).toEqual(["db", "more", "name"])
  const said = { db: { ...NOTHING, other: true, words: " in memory " }, name: { ...NOTHING, words: "Artel" } }
  expect(missing([one, many, open], said)).toEqual([])
  expect(answersOf([one, many, open], said)).toEqual({
    db: { options: [], words: "in memory" },
    more: null,
    name: { options: [], words: "Artel" },
  })
})

test("what is left to the agent says so, whatever was chosen before", () => {
  expect(answersOf([many], { more: { ...NOTHING, options: ["x"], left: true } })).toEqual({ more: null })
})
