import { Terminal } from "lucide-react"
import { useMemo } from "react"
import type { Args as Given, Json } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Diff } from "../ui/Diff"
import { changeOf } from "../ui/unified"

const FIRST = ["file_path", "path", "command"]
const LAST = ["old_string", "new_string", "content"]

/** Where first, then what is there, then what shall be; the database keeps no order. */
export function inOrder(args: Given): [string, Json][] {
  const place = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) - FIRST.length : LAST.indexOf(name) + 1)
  return Object.entries(args).sort(([one], [other]) => place(one) - place(other))
}

/** What a call would do, as far as its arguments tell: a change as a change, a command as a command. */
export function Args({ args }: { args: Given }) {
  const [head, rest] = useMemo(() => headOf(args), [args])
  return (
    <>
      {head && ("diff" in head ? <Diff diff={head.diff} label={head.path} /> : <Command {...head} />)}
      {(!head || rest.length > 0) && <Pairs pairs={rest} />}
    </>
  )
}

function Pairs({ pairs }: { pairs: [string, Json][] }) {
  const { say } = useLanguage()
  return (
    <dl
      className="grid max-h-72 grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 overflow-auto rounded-lg border border-line bg-page px-3 py-2 font-mono text-[13px]"
      tabIndex={0}
      aria-label={say("args")}
    >
      {pairs.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd className="whitespace-pre-wrap [overflow-wrap:anywhere]">{typeof value === "string" ? value : JSON.stringify(value, null, 1)}</dd>
        </div>
      ))}
    </dl>
  )
}

/** A command line, and the folder it would run in. */
export function Command({ line, folder }: { line: string; folder: string }) {
  const { say } = useLanguage()
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-page">
      <pre
        className="max-h-72 overflow-auto p-3 font-mono text-[13px] leading-5 whitespace-pre-wrap [overflow-wrap:anywhere]"
        tabIndex={0}
        role="group"
        aria-label={say("args")}
      >
        <span className="mr-2 text-soft select-none" aria-hidden>
          $
        </span>
        {line}
      </pre>
      {folder && (
        <p className="flex items-center gap-1.5 border-t border-line bg-panel px-3 py-1 text-xs text-soft">
          <Terminal size={13} aria-hidden /> {say("askFolder", { folder })}
        </p>
      )}
    </div>
  )
}

type Head = { path: string; diff: string } | { line: string; folder: string } | null

/** What foreign tools that write, edit or run would do, and the arguments that this leaves; ours tell it themselves. */
function headOf(args: Given): [Head, [string, Json][]] {
  const besides = (...names: string[]) => inOrder(args).filter(([name]) => !names.includes(name))
  const text = (name: string) => (typeof args[name] === "string" ? args[name] : null)
  const place = ["file_path", "path", "filename"].find((name) => text(name) !== null) ?? ""
  const [before, after, content, line] = [text("old_string"), text("new_string"), text("content"), text("command")]
  const path = text(place) ?? ""
  if (path && before !== null && after !== null)
    return [{ path, diff: changeOf(before, after) }, besides(place, "old_string", "new_string")]
  if (path && content !== null) return [{ path, diff: changeOf("", content) }, besides(place, "content")]
  if (line !== null) return [{ line, folder: text("workdir") ?? text("cwd") ?? "" }, besides("command", "workdir", "cwd")]
  return [null, besides()]
}
