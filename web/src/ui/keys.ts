const MAC = /Mac|iPhone|iPad/.test(navigator.platform)

export const PALETTE = MAC ? "⌘K" : "Ctrl+K"
export const NEW = MAC ? "⌘⇧O" : "Ctrl+Shift+O"
export const NOW = MAC ? "⌘Enter" : "Ctrl+Enter"

/** Whether the key of commands is held: on a Mac it is not Control, which edits text there. */
export function commands(event: KeyboardEvent): boolean {
  return MAC ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey
}

/** Whether what is typed goes into a field. */
export function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}
