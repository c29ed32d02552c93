import { expect, test } from "vitest"
import { lines } from "./Diff"

test("lines of a diff carry their numbers before and after", () => {
  const diff = "--- a/x\n+++ b/x\n@@ -3,2 +3,3 @@\n one\n-two\n+2\n+3\n\\ No newline at end of file\n"
  expect(lines(diff).map((line) => [line.kind, line.old, line.new, line.text])).toEqual([
    ["hunk", "", "", "@@ -3,2 +3,3 @@"],
    ["same", "3", "3", "one"],
    ["del", "4", "", "two"],
    ["add", "", "4", "2"],
    ["add", "", "5", "3"],
    ["hunk", "", "", "\\ No newline at end of file"],
  ])
})

test("a removed line that looks like a header is a removed line", () => {
  const diff = "--- a/x\n+++ b/x\n@@ -1,1 +1,0 @@\n--- a\n"
  expect(lines(diff).at(-1)).toMatchObject({ kind: "del", text: "-- a" })
})
