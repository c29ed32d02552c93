import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands"
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language"
import { Annotation, Compartment, EditorSelection, EditorState, type Extension } from "@codemirror/state"
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view"
import { useEffect, useEffectEvent, useRef } from "react"
import { languageOf } from "./languages"
import { look } from "./look"

interface Props {
  path: string
  text: string
  editing: boolean
  /** Counted from 1; 0: none. Shown again whenever `wish` is another. */
  line: number
  wish: number
  label: string
  phrases: Record<string, string>
  change: (text: string) => void
  save: () => void
}

/** The text became another one without a person having written it. */
const fromDisk = Annotation.define<boolean>()

const indentOf = (text: string) => /^(\t| {2,8})\S/m.exec(text)?.[1] ?? "    "

/** A file as text: read-only until it is edited, with the keys of an editor. */
export default function Editor({ path, text, editing, line, wish, label, phrases, change, save }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const parts = useRef({ grammar: new Compartment(), mode: new Compartment() })
  const changed = useEffectEvent((now: string) => change(now))
  const saved = useEffectEvent(() => save())
  const first = useEffectEvent(() => ({ text, mode: mode(editing, label), phrases }))

  useEffect(() => {
    const { text: doc, mode: begun, phrases: words } = first()
    const { grammar, mode: turned } = parts.current
    const made = new EditorView({
      parent: place.current as HTMLElement,
      state: EditorState.create({
        doc,
        extensions: [
          ...shown(words, doc),
          turned.of(begun),
          grammar.of([]),
          keymap.of([{ key: "Mod-s", preventDefault: true, run: () => (saved(), true) }]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && !update.transactions.some((one) => one.annotation(fromDisk))) changed(update.state.doc.toString())
          }),
        ],
      }),
    })
    view.current = made
    let gone = false
    void enrich(path).then((more) => gone || made.dispatch({ effects: grammar.reconfigure(more) }))
    return () => {
      gone = true
      made.destroy()
    }
  }, [path])

  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.mode.reconfigure(mode(editing, label)) })
    if (editing) view.current?.focus()
  }, [editing, label])

  useEffect(() => {
    const at = view.current
    if (!at || at.state.doc.toString() === text) return
    at.dispatch({ changes: { from: 0, to: at.state.doc.length, insert: text }, annotations: fromDisk.of(true) })
  }, [text])

  useEffect(() => {
    const at = view.current
    if (!at || !line) return
    const { from } = at.state.doc.line(Math.min(line, at.state.doc.lines))
    at.dispatch({ selection: EditorSelection.cursor(from), effects: EditorView.scrollIntoView(from, { y: "center" }) })
  }, [line, wish, path])

  return <div ref={place} className="h-full min-h-0 border-2 border-transparent focus-within:border-accent" />
}

/** What a text has once it is there: the grammar of its kind, and search. */
export async function enrich(path: string): Promise<Extension> {
  const [grammar, { finding }] = await Promise.all([languageOf(path), import("./finding")])
  return [grammar, finding]
}

/** What every view of a text has, also one beside another. */
export function shown(phrases: Record<string, string>, text: string): Extension[] {
  return [
    lineNumbers(),
    highlightSpecialChars(),
    drawSelection(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    bracketMatching(),
    foldGutter({ markerDOM: folded }),
    history(),
    indentUnit.of(indentOf(text)),
    EditorState.lineSeparator.of("\n"),
    EditorState.phrases.of(phrases),
    keymap.of([...defaultKeymap, ...historyKeymap, ...foldKeymap]),
    look,
  ]
}

function folded(open: boolean): HTMLElement {
  const mark = document.createElement("span")
  mark.textContent = open ? "⌄" : "›"
  mark.style.color = "var(--soft)"
  mark.setAttribute("aria-hidden", "true")
  return mark
}

/** A text that is only read can have the focus all the same: to scroll, to search, to select. */
export function mode(editing: boolean, label: string): Extension {
  const named = EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false" })
  if (editing) return [named, indentOnInput(), keymap.of([indentWithTab])]
  return [named, EditorState.readOnly.of(true), EditorView.editable.of(false), EditorView.contentAttributes.of({ "aria-readonly": "true" })]
}
