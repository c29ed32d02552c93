export interface Line {
  kind: "add" | "del" | "same" | "hunk"
  text: string
  old: string
  new: string
}

/** Splits a unified diff into lines with their numbers; headers name a file where there are several, or a move. */
export function lines(diff: string): Line[] {
  const found: Line[] = []
  let before = 0
  let after = 0
  let left = 0
  let right = 0
  const all = diff.replace(/\n$/, "").split("\n")
  const several = all.filter((text) => text.startsWith("+++ ")).length > 1
  for (const text of all) {
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))?/.exec(text)
    if (text.startsWith("…")) left = right = 0 // cut here
    const inside = left > 0 || right > 0
    if (!inside && hunk) {
      before = Number(hunk[1])
      after = Number(hunk[3])
      left = Number(hunk[2] ?? 1)
      right = Number(hunk[4] ?? 1)
      found.push({ kind: "hunk", text, old: "", new: "" })
      continue
    }
    if (!inside) {
      if (/^(rename|Binary|…|\\)/.test(text) || (several && /^(---|\+\+\+) (?!\/dev\/null)/.test(text)))
        found.push({ kind: "hunk", text, old: "", new: "" })
      continue
    }
    if (!text.startsWith("+") && !text.startsWith("\\")) left -= 1
    if (!text.startsWith("-") && !text.startsWith("\\")) right -= 1
    if (text.startsWith("+")) found.push({ kind: "add", text: text.slice(1), old: "", new: String(after++) })
    else if (text.startsWith("-")) found.push({ kind: "del", text: text.slice(1), old: String(before++), new: "" })
    else if (text.startsWith("\\")) found.push({ kind: "hunk", text, old: "", new: "" })
    else found.push({ kind: "same", text: text.slice(1), old: String(before++), new: String(after++) })
  }
  return found
}

/** How many lines a diff adds and removes. */
export function count(diff: string): { added: number; removed: number } {
  const shown = lines(diff)
  return {
    added: shown.filter((line) => line.kind === "add").length,
    removed: shown.filter((line) => line.kind === "del").length,
  }
}

export interface Placed extends Line {
  /** The place among the hunks of the one it belongs to; -1 before the first. */
  part: number
  begins: boolean
  /** The line on the other side that it takes the place of, or that takes its. */
  mate: string | undefined
}

/** A row of a view: one line over the whole width, or what stands on the left and on the right. */
export type Row = Placed | [Placed | undefined, Placed | undefined]

/** Lines with the hunks they belong to, and each changed one with its mate. */
export function placed(all: Line[]): Placed[] {
  let part = -1
  const found = all.map((line): Placed => {
    const begins = line.kind === "hunk" && line.text.startsWith("@@ ")
    if (begins) part += 1
    return { ...line, part, begins, mate: undefined }
  })
  for (const [removed, added] of changes(found)) {
    for (let place = 0; place < Math.min(removed.length, added.length); place++) {
      const [one, other] = [removed[place], added[place]]
      if (!one || !other) continue
      one.mate = other.text
      other.mate = one.text
    }
  }
  return found
}

/** Runs of removed lines with the added ones that follow them. */
function* changes(all: Placed[]): Generator<[Placed[], Placed[]]> {
  let removed: Placed[] = []
  let added: Placed[] = []
  for (const line of all) {
    if (line.kind === "del" && !added.length) removed.push(line)
    else if (line.kind === "add") added.push(line)
    else {
      if (removed.length && added.length) yield [removed, added]
      removed = line.kind === "del" ? [line] : []
      added = []
    }
  }
  if (removed.length && added.length) yield [removed, added]
}

/** Lines side by side: what was on the left, what shall be on the right. */
export function sides(all: Placed[]): Row[] {
  const rows: Row[] = []
  let left: Placed[] = []
  let right: Placed[] = []
  const flush = () => {
    for (let place = 0; place < Math.max(left.length, right.length); place++) rows.push([left[place], right[place]])
    left = []
    right = []
  }
  for (const line of all) {
    if (line.kind === "del") {
      if (right.length) flush()
      left.push(line)
    } else if (line.kind === "add") right.push(line)
    else {
      flush()
      rows.push(line.kind === "same" ? [line, line] : line)
    }
  }
  flush()
  return rows
}

/** A change of a text as a unified diff with no lines around it. */
export function changeOf(before: string, after: string): string {
  const [was, is] = [split(before), split(after)]
  let head = 0
  while (head < Math.min(was.length, is.length) && was[head] === is[head]) head++
  let tail = 0
  while (tail < Math.min(was.length, is.length) - head && was.at(-1 - tail) === is.at(-1 - tail)) tail++
  const [gone, come] = [was.slice(head, was.length - tail), is.slice(head, is.length - tail)]
  const range = (many: string[]) => `${many.length ? head + 1 : head},${many.length}`
  return [`@@ -${range(gone)} +${range(come)} @@`, ...gone.map((one) => `-${one}`), ...come.map((one) => `+${one}`)].join("\n")
}

function split(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n")
}
