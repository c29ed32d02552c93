import { useMemo, useState } from "react"

interface Line {
  kind: "add" | "del" | "same" | "hunk"
  text: string
  old: string
  new: string
}

const LOOKS = {
  add: "bg-good-bg text-good",
  del: "bg-bad-bg text-bad",
  same: "",
  hunk: "bg-panel text-soft",
}
const SIGNS = { add: "+", del: "−", same: " ", hunk: "" }

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

interface Placed extends Line {
  /** The place among the hunks of the one it belongs to; -1 before the first. */
  part: number
  begins: boolean
}

function inParts(all: Line[]): Placed[] {
  let part = -1
  return all.map((line) => {
    const begins = line.kind === "hunk" && line.text.startsWith("@@ ")
    if (begins) part += 1
    return { ...line, part, begins }
  })
}

/** How many lines a diff adds and removes. */
export function count(diff: string): { added: number; removed: number } {
  const shown = lines(diff)
  return {
    added: shown.filter((line) => line.kind === "add").length,
    removed: shown.filter((line) => line.kind === "del").length,
  }
}

interface Props {
  diff: string
  label: string
  /** Words for the button that shows more of a long one. */
  more: (lines: number) => string
  pick?: Pick | undefined
}

/** What a person may take or leave: its hunks in order. */
interface Pick {
  parts: { id: string; taken: boolean }[]
  choose: (id: string, wanted: boolean) => void
  /** Words for the box before a hunk. */
  label: (header: string) => string
}

const SHOWN = 400
const MORE = 1600 // lines at once: more of them would freeze the page

/** A unified diff with line numbers. */
export function Diff({ diff, label, more, pick }: Props) {
  const all = useMemo(() => inParts(lines(diff)), [diff])
  const [most, setMost] = useState(SHOWN)
  const shown = all.slice(0, most)
  return (
    <div
      className="max-h-[min(26rem,55dvh)] overflow-auto rounded-lg border border-line bg-page font-mono text-[13px] leading-5"
      role="group"
      aria-label={label}
      tabIndex={0}
    >
      <table className="w-full border-collapse" role="presentation">
        <tbody>
          {shown.map((line, index) => {
            const part = pick?.parts[line.part]
            const left = part?.taken === false
            return (
              <tr key={index} className={left ? "bg-panel" : LOOKS[line.kind]}>
                <td className="w-9 px-1.5 text-right select-none max-sm:hidden">{line.old}</td>
                <td className="w-9 px-1.5 text-right select-none">{line.new}</td>
                <td className="w-4 text-center select-none">{SIGNS[line.kind]}</td>
                <td className={`pr-3 whitespace-pre ${left && line.kind === "add" ? "line-through" : ""}`}>
                  {pick && part && line.begins ? (
                    <label className="flex min-h-6 items-center gap-2 pointer-coarse:min-h-11">
                      <input
                        type="checkbox"
                        className="size-4 accent-accent"
                        aria-label={pick.label(line.text)}
                        checked={part.taken}
                        onChange={(event) => pick.choose(part.id, event.target.checked)}
                      />
                      {line.text}
                    </label>
                  ) : (
                    line.text || " "
                  )}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
      {shown.length < all.length && (
        <button type="button" className="w-full py-2 text-accent" onClick={() => setMost(most + MORE)}>
          {more(all.length)}
        </button>
      )}
    </div>
  )
}
