export interface Box {
  left: number
  top: number
  width: number
  height: number
}

const GAP_PX = 14
const EDGE_PX = 8

/** Where a card stands: over what it tells of, else under it, else as low as fits; always within the window. */
export function place(target: Box, card: { width: number; height: number }, seen: { width: number; height: number }): { left: number; top: number } {
  const left = clamp(target.left, seen.width - card.width)
  const above = target.top - card.height - GAP_PX
  if (above >= EDGE_PX) return { left, top: above }
  return { left, top: clamp(target.top + target.height + GAP_PX, seen.height - card.height) }
}

function clamp(at: number, most: number): number {
  return Math.max(EDGE_PX, Math.min(at, most - EDGE_PX))
}
