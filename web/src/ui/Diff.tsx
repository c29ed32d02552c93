import { useMemo } from "react"

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

/** Splits a unified diff into lines with their numbers; file headers are left out. */
export function lines(diff: string): Line[] {
  const found: Line[] = []
  let before = 0
  let after = 0
  for (const text of diff.replace(/\n$/, "").split("\n")) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(text)
    if (hunk) {
      before = Number(hunk[1])
      after = Number(hunk[2])
      found.push({ kind: "hunk", text, old: "", new: "" })
    } else if (!before && !after) continue
    else if (text.startsWith("+")) found.push({ kind: "add", text: text.slice(1), old: "", new: String(after++) })
    else if (text.startsWith("-")) found.push({ kind: "del", text: text.slice(1), old: String(before++), new: "" })
    else if (text.startsWith("\\")) found.push({ kind: "hunk", text, old: "", new: "" })
    else found.push({ kind: "same", text: text.slice(1), old: String(before++), new: String(after++) })
  }
  return found
}

/** A unified diff with line numbers. */
export function Diff({ diff, label }: { diff: string; label: string }) {
  const shown = useMemo(() => lines(diff), [diff])
  return (
    <div
      className="max-h-96 overflow-auto rounded-lg border border-line bg-page font-mono text-[13px] leading-5"
      role="group"
      aria-label={label}
      tabIndex={0}
    >
      <table className="w-full border-collapse">
        <tbody>
          {shown.map((line, index) => (
            <tr key={index} className={LOOKS[line.kind]}>
              <td className="w-10 px-1.5 text-right text-soft select-none">{line.old}</td>
              <td className="w-10 px-1.5 text-right text-soft select-none">{line.new}</td>
              <td className="w-4 select-none">{SIGNS[line.kind]}</td>
              <td className="pr-3 whitespace-pre">{line.text || " "}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
