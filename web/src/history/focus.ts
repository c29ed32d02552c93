/** Act once the page shows what was changed just now. */
export function afterDrawn(act: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(act))
}

/** Give the focus to the first of these that is there, if what had it is gone. */
export function rescue(...wanted: string[]): void {
  afterDrawn(() => {
    if (document.activeElement && document.activeElement !== document.body) return
    for (const one of wanted) {
      const found = document.querySelector<HTMLElement>(one)
      if (found) return found.focus()
    }
  })
}

export const COMPOSER = "form textarea"
