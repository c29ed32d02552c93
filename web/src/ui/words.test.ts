import { expect, test } from "vitest"
import { onlySpace, pieces, visible } from "./words"

const marked = (line: string, mate: string) =>
  pieces(line, mate)?.map((one) => (one.changed ? `[${one.text}]` : one.text)).join("") ?? null

test("in a changed line only the words that changed are marked", () => {
  expect(marked("  return fetch(users)", "  return await fetch(people)")).toBe("  return fetch([users])")
  expect(marked("  return await fetch(people)", "  return fetch(users)")).toBe("  return [await ]fetch([people])")
  expect(marked("цена со скидкой 5 %", "цена со скидкой 7 %")).toBe("цена со скидкой [5] %")
})

test("lines with little in common are not compared word by word", () => {
  expect(marked("import os", "class Thing(Base):")).toBeNull()
  expect(marked("same", "same")).toBeNull()
})

test("a line that differs in blanks only says so, and they can be seen", () => {
  expect(onlySpace("  a b", "\ta b")).toBe(true)
  expect(onlySpace("a", "b")).toBe(false)
  expect(marked("x = 1  ", "x = 1")).toBe("x = 1[  ]")
  expect(visible("a\t b")).toBe("a→\t·b")
})

test("very long lines are not compared at all", () => {
  const long = "word ".repeat(30_000)
  expect(pieces(`${long}x`, `${long}y`)).toBeNull()
})
