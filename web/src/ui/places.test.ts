import { expect, test } from "vitest"
import { isPicture, placeOf } from "./places"

test("a path with a line, or a range of them, is a place", () => {
  expect(placeOf("src/artel/clock.py:12")).toEqual({ path: "src/artel/clock.py", line: 12 })
  expect(placeOf("web/src/chat/Chat.tsx:12-20")).toEqual({ path: "web/src/chat/Chat.tsx", line: 12 })
  expect(placeOf("Makefile:3")).toEqual({ path: "Makefile", line: 3 })
  expect(placeOf("docs/a.md#L7-L9", true)).toEqual({ path: "docs/a.md", line: 7 })
  expect(placeOf("docs/a.md", true)).toEqual({ path: "docs/a.md", line: 0 })
})

test("a port, a time, an address and plain code are none", () => {
  for (const text of ["localhost:8000", "127.0.0.1:80", "example.com:443", "12:30", "dict[a:3]", "x = 1", "a.md", "tick"]) {
    expect(placeOf(text), text).toBeNull()
  }
  for (const text of ["https://example.org/a.md", "javascript:1", "mailto:a@b.de", "#top"]) {
    expect(placeOf(text, true), text).toBeNull()
  }
})

test("only a picture that comes with the text can be loaded", () => {
  expect(isPicture("data:image/png;base64,iVBORw0KGgo=")).toBe(true)
  expect(isPicture("data:image/svg+xml;base64,AAAA")).toBe(false)
  expect(isPicture("https://example.org/x.png")).toBe(false)
})
