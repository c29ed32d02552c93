import { describe, expect, it } from "vitest"
import type { Listed } from "../api/files"
import { foldersTo, type Known, marksOf, pressed, rowsFor, rowsOf, typed } from "./tree"

const entry = (path: string, kind: Listed["kind"] = "file"): Listed => ({
  path,
  name: path.slice(path.lastIndexOf("/") + 1),
  kind,
  size: 1,
  modified: null,
  ignored: false,
  closed: "",
})
const folder = (entries: Listed[], total = entries.length): Known => ({ entries, total, state: "ready", problem: "" })
const known = new Map([
  ["", folder([entry("src", "folder"), entry("a.txt"), entry("b.txt")])],
  ["src", folder([entry("src/deep", "folder"), entry("src/main.py")])],
])
const paths = (open: string[], marks = marksOf([])) => rowsOf(known, new Set(open), marks).map((one) => one.path)

describe("the tree", () => {
  it("shows what is open, with places among siblings", () => {
    expect(paths([])).toEqual(["src", "a.txt", "b.txt"])
    expect(paths(["src"])).toEqual(["src", "src/deep", "src/main.py", "a.txt", "b.txt"])
    const main = rowsOf(known, new Set(["src"]), marksOf([]))[2]
    expect([main?.depth, main?.place, main?.of]).toEqual([1, 2, 2])
  })

  it("marks changed files and the folders that hold them, and shows what is gone", () => {
    const marks = marksOf([
      { path: "src/main.py", kind: "changed" },
      { path: "gone.txt", kind: "deleted" },
    ])
    const rows = rowsOf(known, new Set(["src"]), marks)
    expect(rows.find((one) => one.path === "src")?.holds).toBe(true)
    expect(rows.find((one) => one.path === "src/main.py")?.mark).toBe("changed")
    expect(rows.at(-1)).toMatchObject({ path: "gone.txt", mark: "deleted" })
  })

  it("says how many entries are not here yet, and what failed", () => {
    const part = new Map([["", folder([entry("a")], 9)]])
    expect(rowsOf(part, new Set(), marksOf([])).at(-1)).toMatchObject({ kind: "more", name: "8" })
    const failed = new Map<string, Known>([["", { entries: [], total: 0, state: "failed", problem: "no" }]])
    expect(rowsOf(failed, new Set(), marksOf([]))).toMatchObject([{ kind: "note", name: "no" }])
  })

  it("makes a tree of some paths only, folders first", () => {
    const rows = rowsFor(["z.txt", "a/c.txt", "a/b/d.txt"], marksOf([]))
    expect(rows.map((one) => one.path)).toEqual(["a", "a/b", "a/b/d.txt", "a/c.txt", "z.txt"])
    expect(foldersTo("a/b/d.txt")).toEqual(["a", "a/b"])
  })

  it("goes by arrows, to both ends, in and out of folders", () => {
    const shut = rowsOf(known, new Set(), marksOf([]))
    const open = rowsOf(known, new Set(["src"]), marksOf([]))
    expect(pressed("ArrowDown", shut, "src")).toEqual({ focus: "a.txt" })
    expect(pressed("ArrowUp", shut, "src")).toEqual({ focus: "src" })
    expect(pressed("End", shut, "src")).toEqual({ focus: "b.txt" })
    expect(pressed("Home", shut, "b.txt")).toEqual({ focus: "src" })
    expect(pressed("ArrowRight", shut, "src")).toEqual({ toggle: "src" })
    expect(pressed("ArrowRight", open, "src")).toEqual({ focus: "src/deep" })
    expect(pressed("ArrowLeft", open, "src/main.py")).toEqual({ focus: "src" })
    expect(pressed("ArrowLeft", open, "src")).toEqual({ toggle: "src" })
    expect(pressed("x", open, "src")).toBeNull()
  })

  it("finds by the first letters, and the next by the same letter", () => {
    const rows = rowsFor(["alpha", "beta", "bravo", "gamma"], marksOf([]))
    expect(typed("b", rows, "alpha")).toBe("beta")
    expect(typed("bb", rows, "beta")).toBe("bravo")
    expect(typed("br", rows, "beta")).toBe("bravo")
    expect(typed("x", rows, "beta")).toBe("beta")
  })
})
