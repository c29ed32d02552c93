import { expect, test } from "vitest"
import { changeOf, count, lines, placed, sides } from "./unified"

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

test("where several files change, each hunk stands below the name of its file", () => {
  const one = "--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n+b\n"
  const moved = "diff --git a/p b/q\nrename from p\nrename to q\n"
  const gone = "--- a/y\n+++ /dev/null\n@@ -1,1 +0,0 @@\n--- a\n"
  expect(lines(one + moved + gone).map((line) => [line.kind, line.text])).toEqual([
    ["hunk", "--- a/x"],
    ["hunk", "+++ b/x"],
    ["hunk", "@@ -1,1 +1,1 @@"],
    ["del", "a"],
    ["add", "b"],
    ["hunk", "rename from p"],
    ["hunk", "rename to q"],
    ["hunk", "--- a/y"],
    ["hunk", "@@ -1,1 +0,0 @@"],
    ["del", "-- a"],
  ])
})

test("a diff that was cut says so", () => {
  const diff = "--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n-a\n… the diff is longer than 60000 characters\n"
  expect(lines(diff).at(-1)).toMatchObject({ kind: "hunk", text: "… the diff is longer than 60000 characters" })
})

const CHANGED = "@@ -1,4 +1,4 @@\n one\n-two\n-three\n+2\n+3\n+4\n five\n"

test("side by side a changed line stands beside what takes its place", () => {
  const rows = sides(placed(lines(CHANGED)))
  expect(rows.map((row) => (Array.isArray(row) ? row.map((one) => one?.text) : row.text))).toEqual([
    "@@ -1,4 +1,4 @@",
    ["one", "one"],
    ["two", "2"],
    ["three", "3"],
    [undefined, "4"],
    ["five", "five"],
  ])
})

test("changed lines know the line they are compared with", () => {
  const mates = placed(lines(CHANGED)).map((line) => line.mate)
  expect(mates).toEqual([undefined, undefined, "2", "3", "two", "three", undefined, undefined])
})

test("a change of a text becomes a diff of the lines that differ", () => {
  expect(changeOf("a\nb\nc\n", "a\nB\nc\n")).toBe("@@ -2,1 +2,1 @@\n-b\n+B")
  expect(count(changeOf("", "x\ny\n"))).toEqual({ added: 2, removed: 0 })
})
