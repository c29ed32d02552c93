import type { ChangedFile, Listed } from "../api/files"

/** What is known of a folder. */
export interface Known {
  entries: Listed[]
  total: number
  state: "loading" | "ready" | "failed"
  problem: string
}

export interface Row {
  path: string
  name: string
  kind: Listed["kind"] | "more" | "note"
  depth: number
  expanded: boolean
  mark: ChangedFile["kind"] | ""
  /** Something below it was changed. */
  holds: boolean
  ignored: boolean
  closed: Listed["closed"]
  size: number
  place: number
  of: number
}

export type Marks = ReadonlyMap<string, ChangedFile["kind"]>

export const marksOf = (changed: readonly ChangedFile[]): Marks => new Map(changed.map((one) => [one.path, one.kind]))

export const parentOf = (path: string) => (path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "")
export const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1)

/** All folders on the way to a path, the outermost first. */
export function foldersTo(path: string): string[] {
  const parts = path.split("/").slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"))
}

const blank = { expanded: false, mark: "", holds: false, ignored: false, closed: "", size: 0, place: 1, of: 1 } as const

/** The lines of the tree as far as folders are open; files that are gone stand where they were. */
export function rowsOf(known: ReadonlyMap<string, Known>, open: ReadonlySet<string>, marks: Marks): Row[] {
  const holding = new Set([...marks.keys()].flatMap(foldersTo))
  const rows: Row[] = []
  const walk = (folder: string, depth: number) => {
    const here = known.get(folder)
    if (!here) return
    if (here.state === "failed") rows.push({ ...blank, path: `${folder}//`, name: here.problem, kind: "note", depth })
    const entries = withGone(here.entries, folder, marks, here.entries.length === here.total)
    entries.forEach((one, index) => {
      const isFolder = one.kind === "folder"
      const expanded = isFolder && open.has(one.path)
      rows.push({
        path: one.path,
        name: one.name,
        kind: one.kind,
        depth,
        expanded,
        mark: marks.get(one.path) ?? "",
        holds: isFolder && holding.has(one.path),
        ignored: one.ignored,
        closed: one.closed,
        size: one.size,
        place: index + 1,
        of: entries.length,
      })
      if (expanded) walk(one.path, depth + 1)
    })
    const left = here.total - here.entries.length
    if (left > 0) rows.push({ ...blank, path: `${folder}//more`, name: String(left), kind: "more", depth })
  }
  walk("", 0)
  return rows
}

function withGone(entries: Listed[], folder: string, marks: Marks, whole: boolean): Listed[] {
  if (!whole) return entries
  const there = new Set(entries.map((one) => one.path))
  const gone = [...marks.keys()].filter((path) => marks.get(path) === "deleted" && parentOf(path) === folder && !there.has(path))
  return gone.length ? [...entries, ...gone.map(goneFile)] : entries
}

const goneFile = (path: string): Listed => ({
  path,
  name: nameOf(path),
  kind: "file",
  size: 0,
  modified: null,
  ignored: false,
  closed: "",
})

/** The tree of some files only, all folders open. */
export function rowsFor(paths: readonly string[], marks: Marks): Row[] {
  const known = new Map<string, Known>()
  const put = (folder: string, one: Listed) => {
    const here = known.get(folder) ?? { entries: [], total: 0, state: "ready" as const, problem: "" }
    if (here.entries.some((other) => other.path === one.path)) return
    known.set(folder, { ...here, entries: [...here.entries, one], total: here.total + 1 })
  }
  for (const path of [...paths].sort(byFolders)) {
    for (const folder of foldersTo(path)) put(parentOf(folder), { ...goneFile(folder), kind: "folder" })
    put(parentOf(path), goneFile(path))
  }
  return rowsOf(known, new Set(known.keys()), marks)
}

function byFolders(one: string, other: string): number {
  const [a, b] = [one.split("/"), other.split("/")]
  for (let at = 0; ; at += 1) {
    const [left, right] = [a[at], b[at]]
    if (left === undefined || right === undefined) return a.length - b.length
    if (left === right) continue
    const leaves = Number(at === a.length - 1) - Number(at === b.length - 1)
    return leaves || left.localeCompare(right)
  }
}

/** What a key does in the tree: where the focus goes, or a folder to open or to shut. */
export interface Step {
  focus?: string
  toggle?: string
}

/** What a key means at a row; nothing when it is not the tree's. */
export function pressed(key: string, rows: readonly Row[], at: string): Step | null {
  const index = Math.max(0, rows.findIndex((one) => one.path === at))
  const row = rows[index]
  if (!row) return null
  const to = (place: number): Step => ({ focus: rows[Math.min(Math.max(place, 0), rows.length - 1)]?.path ?? at })
  switch (key) {
    case "ArrowDown":
      return to(index + 1)
    case "ArrowUp":
      return to(index - 1)
    case "Home":
      return to(0)
    case "End":
      return to(rows.length - 1)
    case "ArrowRight":
      if (row.kind !== "folder") return {}
      if (!row.expanded) return { toggle: row.path }
      return (rows[index + 1]?.depth ?? 0) > row.depth ? to(index + 1) : {}
    case "ArrowLeft": {
      if (row.expanded) return { toggle: row.path }
      const above = rows.slice(0, index).findLastIndex((one) => one.depth < row.depth)
      return above < 0 ? {} : to(above)
    }
    default:
      return null
  }
}

/** The next row whose name begins with what was typed, after the focused one and around. */
export function typed(letters: string, rows: readonly Row[], at: string): string {
  const begins = letters.toLowerCase()
  const same = [...begins].every((one) => one === begins[0])
  const index = Math.max(0, rows.findIndex((one) => one.path === at))
  const from = same ? index + 1 : index // the same letter again goes on; more letters may still mean this row
  const wanted = same ? (begins[0] ?? "") : begins
  const around = [...rows.slice(from), ...rows.slice(0, from)]
  return around.find((one) => one.name.toLowerCase().startsWith(wanted))?.path ?? at
}
