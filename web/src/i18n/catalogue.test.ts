import { expect, test } from "vitest"
import { english, type Key, russian } from "./catalogue"

const places = (words: string) => (words.match(/\{\w+\}/g) ?? []).sort()

test("both languages name the same values, and no sentence is left untranslated", () => {
  for (const key of Object.keys(english) as Key[]) {
    expect(places(russian[key]), key).toEqual(places(english[key]))
    if (key !== "language") expect(russian[key], key).toMatch(/[а-яё]|^\{/i)
  }
})
