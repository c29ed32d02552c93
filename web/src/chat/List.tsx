import { startTransition, useEffect, useImperativeHandle, useState } from "react"
import type { Row } from "./rows"

const NEAR = 8 // rows at the end that are always laid out
const FIRST = 40 // rows drawn at once; those before them come right after

/** Brings a row on screen. */
export interface Shows {
  show: (place: number) => void
}

export interface ListProps {
  rows: Row[]
  scroller: React.RefObject<HTMLDivElement | null>
  shows: React.Ref<Shows>
  draw: (row: Row) => React.ReactNode
}

/** All rows below each other. */
export function PlainList({ rows, scroller, shows, draw }: ListProps) {
  const [all, setAll] = useState(false)
  const some = rows.length > 0
  useEffect(() => {
    if (some) startTransition(() => setAll(true))
  }, [some])
  useImperativeHandle(shows, () => ({
    show: (place) =>
      scroller.current?.querySelector(`[aria-posinset="${place + 1}"]`)?.scrollIntoView({ block: "center" }),
  }))
  const from = all ? 0 : Math.max(0, rows.length - FIRST)
  return rows.slice(from).map((row, index) => (
    <Place key={row.key} row={row} place={from + index} of={rows.length} far={from + index < rows.length - NEAR}>
      {draw(row)}
    </Place>
  ))
}

interface PlaceProps {
  row: Row
  place: number
  of: number
  far: boolean
  children: React.ReactNode
}

/** Where a row stands among all. */
export function Place({ row, place, of, far, children }: PlaceProps) {
  const gap = place === 0 ? "" : row.kind === "message" && !row.opens ? "pt-2" : "pt-5"
  return (
    <article aria-posinset={place + 1} aria-setsize={of} className={`min-w-0 ${gap} ${far ? "far" : ""}`}>
      {children}
    </article>
  )
}
