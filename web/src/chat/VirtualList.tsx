import { useVirtualizer } from "@tanstack/react-virtual"
import { useCallback, useImperativeHandle, useRef } from "react"
import { type ListProps, Place } from "./List"

const GUESS_PX = 130 // how high a row is before it was measured
const TOP_PX = 24 // above the first row

/** Only the rows on screen, and a few around them. */
export default function VirtualList({ rows, scroller, shows, draw }: ListProps) {
  const held = useRef(-1)
  const keyOf = useCallback((index: number) => rows[index]?.key ?? index, [rows])
  // eslint-disable-next-line react-hooks/incompatible-library -- its functions are called while drawing only
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => GUESS_PX,
    getItemKey: keyOf,
    initialOffset: () => rows.length * GUESS_PX,
    scrollMargin: TOP_PX,
    overscan: 6,
    useFlushSync: false,
    rangeExtractor: ({ startIndex, endIndex, overscan, count }) => {
      const from = Math.max(0, startIndex - overscan)
      const to = Math.min(count - 1, endIndex + overscan)
      const inside = Array.from({ length: to - from + 1 }, (_, index) => from + index)
      const focused = held.current
      if (focused < 0 || focused >= count || (focused >= from && focused <= to)) return inside
      return focused < from ? [focused, ...inside] : [...inside, focused]
    },
  })
  useImperativeHandle(shows, () => ({ show: (place) => virtual.scrollToIndex(place, { align: "center" }) }))
  return (
    <div
      className="relative"
      style={{ height: virtual.getTotalSize() }}
      onFocus={({ target }) => {
        const row = target.closest<HTMLElement>("[data-index]")
        held.current = row ? Number(row.dataset["index"]) : -1
      }}
      onBlur={() => void (held.current = -1)}
    >
      {virtual.getVirtualItems().map(({ index, start, key }) => {
        const row = rows[index]
        return (
          row && (
            <div
              key={key}
              ref={virtual.measureElement}
              data-index={index}
              className="absolute inset-x-0 top-0"
              style={{ transform: `translateY(${start - TOP_PX}px)` }}
            >
              <Place row={row} place={index} of={rows.length} far={false}>
                {draw(row)}
              </Place>
            </div>
          )
        )
      })}
    </div>
  )
}
