/** A piece of a line, and whether the other line does not have it. */
export interface Piece {
  text: string
  changed: boolean
}

const LONGEST = 2_000 // characters; longer lines are not compared
const MOST = 250_000 // pairs of words looked at
const ALIKE = 0.3 // lines that share less are two lines, not one that changed

/** The pieces of a line that its mate does not have; null where the two have little in common. */
export function pieces(line: string, mate: string): Piece[] | null {
  if (line === mate || Math.max(line.length, mate.length) > LONGEST) return null
  const [mine, theirs] = [words(line), words(mate)]
  let head = 0
  while (head < Math.min(mine.length, theirs.length) && mine[head] === theirs[head]) head++
  let tail = 0
  while (tail < Math.min(mine.length, theirs.length) - head && mine.at(-1 - tail) === theirs.at(-1 - tail)) tail++
  const inner = mine.slice(head, mine.length - tail)
  const kept = common(inner, theirs.slice(head, theirs.length - tail))
  const told = mine.map((text, place) => {
    const inside = place >= head && place < mine.length - tail
    return { text, changed: inside && !kept.has(place - head) }
  })
  const shared = told.reduce((sum, one) => sum + (one.changed ? 0 : one.text.trim().length), 0)
  if (!onlySpace(line, mate) && shared < ALIKE * Math.max(line.trim().length, mate.trim().length)) return null
  return joined(told)
}

/** Whether two lines differ in nothing but blanks. */
export function onlySpace(line: string, mate: string): boolean {
  return line !== mate && line.replace(/\s+/g, "") === mate.replace(/\s+/g, "")
}

/** Blanks so that they can be seen. */
export function visible(text: string): string {
  return text.replace(/ /g, "·").replace(/\t/g, "→\t").replace(/\r/g, "␍")
}

function words(line: string): string[] {
  return line.match(/[\p{L}\p{N}_]+|\s|[^\p{L}\p{N}_\s]/gu) ?? []
}

/** The places in `mine` of the longest run of words, in order, that `theirs` has too. */
function common(mine: string[], theirs: string[]): ReadonlySet<number> {
  if (!mine.length || mine.length * theirs.length > MOST) return new Set()
  const width = theirs.length + 1
  const best = new Uint16Array((mine.length + 1) * width)
  for (let one = mine.length - 1; one >= 0; one--)
    for (let other = theirs.length - 1; other >= 0; other--)
      best[one * width + other] =
        mine[one] === theirs[other]
          ? (best[(one + 1) * width + other + 1] ?? 0) + 1
          : Math.max(best[(one + 1) * width + other] ?? 0, best[one * width + other + 1] ?? 0)
  const kept = new Set<number>()
  for (let one = 0, other = 0; one < mine.length && other < theirs.length; ) {
    if (mine[one] === theirs[other]) {
      kept.add(one++)
      other++
    } else if ((best[(one + 1) * width + other] ?? 0) >= (best[one * width + other + 1] ?? 0)) one++
    else other++
  }
  return kept
}

/** Neighbours that are alike become one piece; a blank between two changed words is changed with them. */
function joined(told: Piece[]): Piece[] {
  const filled = told.map((one, place) => {
    const between = one.text === " " && told[place - 1]?.changed && told[place + 1]?.changed
    return between ? { ...one, changed: true } : one
  })
  const found: Piece[] = []
  for (const one of filled) {
    const last = found.at(-1)
    if (last && last.changed === one.changed) last.text += one.text
    else found.push({ ...one })
  }
  return found
}
