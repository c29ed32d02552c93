import { expect, test } from "vitest"
import { english, type Key, parts, russian } from "./catalogue"

const places = (words: string) => [...new Set((words.match(/\{\w+/g) ?? []).sort())]
const forms = (words: string) => [...words.matchAll(/\{\w+#([^}]*)\}/g)].map((one) => one[1]?.split("|").length)

test("both languages name the same values, and no sentence is left untranslated", () => {
  for (const key of Object.keys(english) as Key[]) {
    expect(places(russian[key]), key).toEqual(places(english[key]))
    if (key !== "language") expect(russian[key], key).toMatch(/[а-яё]|^\{/i)
  }
})

test("a word that goes with a number has its two forms in English and its three in Russian", () => {
  for (const key of Object.keys(english) as Key[]) {
    expect(new Set([...forms(english[key]), 2]), key).toEqual(new Set([2]))
    expect(new Set([...forms(russian[key]), 3]), key).toEqual(new Set([3]))
  }
})

test("no two parts of the page have words by the same name", () => {
  const names = Object.values(parts).flatMap((part) => Object.keys(part.english))
  expect(names.filter((name, place) => names.indexOf(name) !== place)).toEqual([])
})
