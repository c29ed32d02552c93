/** How well `sought` fits a text: every word of it stands there, at least as letters in order; null: it does not. */
export function fits(sought: string, text: string): number | null {
  const low = text.toLowerCase()
  let sum = 0
  for (const word of sought.toLowerCase().split(/\s+/).filter(Boolean)) {
    const one = fitsWord(word, low)
    if (one === null) return null
    sum += one
  }
  return sum - low.length / 1000
}

/** Those that fit, the best first; those that fit equally well stay in order. */
export function ranked<One>(sought: string, all: readonly One[], text: (one: One) => string): One[] {
  if (!sought.trim()) return [...all]
  return all
    .map((one) => ({ one, score: fits(sought, text(one)) }))
    .filter((found): found is { one: One; score: number } => found.score !== null)
    .sort((a, b) => b.score - a.score)
    .map(({ one }) => one)
}

function fitsWord(word: string, text: string): number | null {
  const whole = text.indexOf(word)
  if (whole >= 0) return (startsWord(text, whole) ? 30 : 20) + word.length
  let at = -1
  let score = 0
  for (const letter of word) {
    const next = text.indexOf(letter, at + 1)
    if (next < 0) return null
    score += next === at + 1 ? 2 : startsWord(text, next) ? 1 : -0.5
    at = next
  }
  return score < 0 ? null : score // letters strewn over a whole sentence are no find
}

function startsWord(text: string, at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? "")
}
