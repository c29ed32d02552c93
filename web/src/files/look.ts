import { defaultHighlightStyle, HighlightStyle, syntaxHighlighting } from "@codemirror/language"
import type { Extension } from "@codemirror/state"
import { EditorView } from "@codemirror/view"

const VIOLET = "oklch(var(--tone-l) 0.13 300)"
const BLUE = "oklch(var(--tone-l) 0.11 240)"
const TEAL = "oklch(var(--tone-l) 0.1 190)"

// The default style says which tokens belong together; the page says in which colours.
const COLOURS: Record<string, string> = {
  "#404740": "var(--soft)",
  "#708": VIOLET,
  "#219": "var(--warn)",
  "#164": "var(--warn)",
  "#a11": "var(--good)",
  "#e40": "var(--warn)",
  "#00f": BLUE,
  "#30a": "var(--ink)",
  "#085": TEAL,
  "#167": TEAL,
  "#256": BLUE,
  "#00c": BLUE,
  "#940": "var(--soft)",
  "#f00": "var(--bad)",
}
const style = HighlightStyle.define(
  defaultHighlightStyle.specs.map((spec) => {
    const colour = (spec as { color?: string }).color
    return colour ? { ...spec, color: COLOURS[colour] ?? "var(--ink)" } : spec
  }),
)

const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--page)", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--page)", color: "var(--soft)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 8px 0 12px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--panel)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, .cm-content ::selection":
    { backgroundColor: "color-mix(in oklab, var(--accent) 28%, transparent) !important" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-bg)", outline: "1px solid var(--warn)" },
  ".cm-selectionMatch, &.cm-focused .cm-matchingBracket": {
    backgroundColor: "color-mix(in oklab, var(--accent) 16%, transparent)",
  },
  ".cm-panels": { backgroundColor: "var(--panel)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-panel.cm-search": { fontFamily: "var(--font-sans)", fontSize: "13px" },
  ".cm-textfield": { backgroundColor: "var(--raised)", border: "1px solid var(--line)", borderRadius: "6px" },
  ".cm-button": { backgroundColor: "var(--raised)", backgroundImage: "none", border: "1px solid var(--line)", borderRadius: "6px" },
  ".cm-panel.cm-search [name=close]": { color: "var(--ink)", fontSize: "18px", width: "24px", height: "24px" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--panel)", border: "1px solid var(--line)", color: "var(--soft)" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: "var(--bad-bg) !important" },
  "&.cm-merge-b .cm-changedLine, .cm-insertedLine, .cm-inlineChangedLine": { backgroundColor: "var(--good-bg) !important" },
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": {
    background: "none !important",
    boxShadow: "inset 0 -2px color-mix(in oklab, var(--bad) 55%, transparent)",
  },
  "&.cm-merge-b .cm-changedText": {
    background: "none !important",
    boxShadow: "inset 0 -2px color-mix(in oklab, var(--good) 55%, transparent)",
  },
  "&.cm-merge-a .cm-changedLineGutter, .cm-deletedLineGutter": { background: "var(--bad) !important" },
  "&.cm-merge-b .cm-changedLineGutter": { background: "var(--good) !important" },
  ".cm-collapsedLines": {
    color: "var(--soft)",
    background: "var(--panel)",
    padding: "4px 12px",
    fontFamily: "var(--font-sans)",
  },
  ".cm-collapsedLines::before, .cm-collapsedLines::after": { content: "none !important" },
  ".cm-deletedChunk": { paddingLeft: "6px" },
})

/** The page's own colours, light and dark alike: they are the page's variables. */
export const look: Extension = [theme, syntaxHighlighting(style)]
