/** What a person has written into a file and not saved, and on which state of it. */
export interface Draft {
  text: string
  /** Of the file as it was read; null: there was none. */
  sha256: string | null
}

const kept = new Map<string, Draft>()
const key = (thread: string, path: string) => `${thread} ${path}`

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault()
}

/** Drafts outlive the tab that shows them, and keep the page from closing unasked. */
export const drafts = {
  of: (thread: string, path: string) => kept.get(key(thread, path)) ?? null,
  keep(thread: string, path: string, draft: Draft | null): void {
    if (draft) kept.set(key(thread, path), draft)
    else kept.delete(key(thread, path))
    if (kept.size) window.addEventListener("beforeunload", ask)
    else window.removeEventListener("beforeunload", ask)
  },
}

/** Text as the editor has it: line ends of Windows are put back by the server. */
export function plain(text: string): string {
  return text.includes("\r") && !/\r(?!\n)|(?<!\r)\n/.test(text) ? text.replaceAll("\r\n", "\n") : text
}
