import { expect, test } from "vitest"
import { fits, ranked } from "./fuzzy"

test("the best find comes first: a word's beginning, then its inside, then its letters in order", () => {
  const all = ["Renew the plan", "New conversation", "Nine wet eels", "Settings"]
  expect(ranked("new", all, (one) => one)).toEqual(["New conversation", "Renew the plan", "Nine wet eels"])
})

test("every word has to be found, in any order and language", () => {
  expect(fits("диал нов", "Новый диалог")).not.toBeNull()
  expect(fits("new gone", "New conversation")).toBeNull()
  expect(ranked(" ", ["b", "a"], (one) => one)).toEqual(["b", "a"])
})

test("letters strewn over a sentence are no find", () => {
  expect(fits("rgr", "interesting game for her")).toBeNull()
})
