import { getChunks, goToNextChunk, goToPreviousChunk, MergeView, unifiedMergeView } from "@codemirror/merge"
import { Compartment, EditorState } from "@codemirror/state"
import { EditorView } from "@codemirror/view"
import { ArrowDown, ArrowUp } from "lucide-react"
import { useEffect, useRef, useState } from "react"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { enrich, mode, shown } from "./Editor"
import { phrasesOf } from "./phrases"

interface Props {
  path: string
  before: string
  after: string
  split: boolean
  labels: { before: string; after: string }
}

const SHORT = { margin: 3, minSize: 6 }
const BOUNDED = { scanLimit: 500, timeout: 300 } // a file that is all new may not freeze the page

/** Two states of a file: one below the other where it is narrow, else side by side. */
export default function Compare({ path, before, after, split, labels }: Props) {
  const { say } = useLanguage()
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const [parts, setParts] = useState(-1)
  const { before: old, after: now } = labels

  useEffect(() => {
    const grammar = new Compartment()
    const parent = place.current as HTMLElement
    const side = (doc: string, label: string) => ({
      doc,
      extensions: [...shown(phrasesOf(say), doc), mode(false, label), grammar.of([]), EditorView.lineWrapping],
    })
    const options = { collapseUnchanged: SHORT, diffConfig: BOUNDED, gutter: true }
    let views: EditorView[]
    let merged: MergeView | null = null
    if (split) {
      merged = new MergeView({ a: side(before, old), b: side(after, now), parent, ...options })
      views = [merged.a, merged.b]
    } else {
      const one = side(after, now)
      const extensions = [...one.extensions, unifiedMergeView({ original: before, mergeControls: false, ...options })]
      views = [new EditorView({ parent, state: EditorState.create({ ...one, extensions }) })]
    }
    const main = views.at(-1) as EditorView
    view.current = main
    setParts(getChunks(main.state)?.chunks.length ?? 0)
    let gone = false
    void enrich(path).then((found) => {
      if (!gone) for (const each of views) each.dispatch({ effects: grammar.reconfigure(found) })
    })
    return () => {
      gone = true
      if (merged) merged.destroy()
      else main.destroy()
    }
  }, [path, before, after, split, old, now, say])

  const step = (go: typeof goToNextChunk) => {
    const at = view.current
    if (!at) return
    go(at)
    at.dispatch({ effects: EditorView.scrollIntoView(at.state.selection.main.head, { y: "center" }) })
  }
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex items-center gap-1 border-b border-line px-2 py-0.5 text-sm text-soft">
        <span role="status" className="min-w-0 flex-1 truncate">
          {parts === 0 ? say("filesSame") : parts > 0 ? say("filesParts", { n: parts }) : ""}
        </span>
        <Button look="bare" aria-label={say("filesPrevious")} title={say("filesPrevious")} disabled={parts < 1} onClick={() => step(goToPreviousChunk)}>
          <ArrowUp size={15} aria-hidden />
        </Button>
        <Button look="bare" aria-label={say("filesNext")} title={say("filesNext")} disabled={parts < 1} onClick={() => step(goToNextChunk)}>
          <ArrowDown size={15} aria-hidden />
        </Button>
      </div>
      <div ref={place} className="min-h-0 flex-1 overflow-auto border-2 border-transparent focus-within:border-accent" />
    </div>
  )
}
