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
