import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search"
import type { Extension } from "@codemirror/state"
import { keymap } from "@codemirror/view"

/** Ctrl+F and what belongs to it: not needed before the text is there. */
export const finding: Extension = [search({ top: true }), highlightSelectionMatches(), keymap.of(searchKeymap)]
