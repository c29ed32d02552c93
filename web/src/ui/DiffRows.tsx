import { memo, useEffect, useMemo, useRef, useState } from "react"
import { useLanguage } from "../i18n/language"
import type { Placed, Row } from "./unified"
import { onlySpace, pieces, visible } from "./words"

/** What a person may take or leave: its hunks in order. */
export interface Pick {
  parts: { id: string; taken: boolean }[]
  choose: (id: string, wanted: boolean) => void
  /** Words for the box before a hunk. */
  label: (header: string) => string
}

const LOOKS = { add: "bg-good-bg", del: "bg-bad-bg", same: "", hunk: "bg-panel text-soft" }
const MARKS = { add: "rounded-xs bg-good/25", del: "rounded-xs bg-bad/25", same: "", hunk: "" }
const SIGNS = { add: "+", del: "−", same: " ", hunk: "" }
const SIGN_LOOKS = { add: "text-good", del: "text-bad", same: "", hunk: "" }
const SLICE = 200 // rows drawn at once; those far from what is seen are blank
const ROW_PX = 20
const NEAR_PX = 800
const LONGEST = 4_000 // characters of a line

interface Props {
  rows: Row[]
  label: string
  pick: Pick | undefined
  className: string
}

/** The rows of a change, of which only those near what is seen are in the page. */
export function DiffRows({ rows, label, pick, className }: Props) {
  const [scroller, setScroller] = useState<HTMLElement | null>(null)
  const slices = useMemo(
    () => Array.from({ length: Math.ceil(rows.length / SLICE) }, (_, place) => rows.slice(place * SLICE, (place + 1) * SLICE)),
    [rows],
  )
  return (
    <div
      ref={setScroller}
      className={`overflow-y-auto font-mono text-[13px] leading-5 ${className}`}
      role="group"
      aria-label={label}
      tabIndex={0}
    >
      {slices.map((slice, place) => (
        <Slice key={place} rows={slice} scroller={scroller} pick={pick} first={place === 0} />
      ))}
    </div>
  )
}

interface SliceProps {
  rows: Row[]
  scroller: HTMLElement | null
  pick: Pick | undefined
  first: boolean
}

function Slice({ rows, scroller, pick, first }: SliceProps) {
  const box = useRef<HTMLDivElement>(null)
  const [height, setHeight] = useState(rows.length * ROW_PX)
  const [near, setNear] = useState(first)
  useEffect(() => {
    const shown = box.current
    if (!scroller || !shown) return
    const observer = new IntersectionObserver(
      ([seen]) => {
        if (!seen?.isIntersecting) setHeight(shown.offsetHeight)
        setNear(seen?.isIntersecting ?? false)
      },
      { root: scroller, rootMargin: `${NEAR_PX}px` },
    )
    observer.observe(shown)
    return () => observer.disconnect()
  }, [scroller])
  return (
    <div ref={box} style={near ? undefined : { height }}>
      {near && rows.map((row, place) => (Array.isArray(row) ? <Pair key={place} row={row} pick={pick} /> : <Single key={place} line={row} pick={pick} />))}
    </div>
  )
}

/** Whether a person leaves out the hunk of a line. */
const isLeft = (line: Placed | undefined, pick: Pick | undefined) => line !== undefined && pick?.parts[line.part]?.taken === false

function Single({ line, pick }: { line: Placed; pick: Pick | undefined }) {
  const left = isLeft(line, pick)
  if (line.kind === "hunk") return <Hunk line={line} pick={pick} />
  return (
    <div className={`flex ${left ? "bg-panel text-soft" : LOOKS[line.kind]}`}>
      <span className="w-10 shrink-0 pr-2 text-right text-soft select-none max-sm:hidden">{line.old}</span>
      <span className="w-10 shrink-0 pr-2 text-right text-soft select-none">{line.new}</span>
      <span className={`w-4 shrink-0 text-center select-none ${SIGN_LOOKS[line.kind]}`}>{SIGNS[line.kind]}</span>
      <Text line={line} left={left} />
    </div>
  )
}

function Pair({ row: [was, is], pick }: { row: [Placed | undefined, Placed | undefined]; pick: Pick | undefined }) {
  return (
    <div className="grid grid-cols-2 divide-x divide-line">
      <Half line={was} number={was?.old} left={isLeft(was, pick)} />
      <Half line={is} number={is?.new} left={isLeft(is, pick)} />
    </div>
  )
}

function Half({ line, number, left }: { line: Placed | undefined; number: string | undefined; left: boolean }) {
  if (!line) return <span className="bg-panel/60" />
  return (
    <span className={`flex min-w-0 ${left ? "bg-panel text-soft" : LOOKS[line.kind]}`}>
      <span className="w-10 shrink-0 pr-2 text-right text-soft select-none">{number}</span>
      <span className={`w-4 shrink-0 text-center select-none ${SIGN_LOOKS[line.kind]}`}>{SIGNS[line.kind]}</span>
      <Text line={line} left={left} />
    </span>
  )
}

function Hunk({ line, pick }: { line: Placed; pick: Pick | undefined }) {
  const part = pick?.parts[line.part]
  const look = `min-w-0 bg-panel px-3 whitespace-pre-wrap text-soft [overflow-wrap:anywhere]`
  if (!pick || !part || !line.begins) return <div className={look}>{line.text}</div>
  return (
    <label className={`flex min-h-7 items-center gap-2 pointer-coarse:min-h-11 ${look}`}>
      <input
        type="checkbox"
        className="size-4 shrink-0 accent-accent"
        aria-label={pick.label(line.text)}
        checked={part.taken}
        onChange={(event) => pick.choose(part.id, event.target.checked)}
      />
      {line.text}
    </label>
  )
}

const Text = memo(function Text({ line, left }: { line: Placed; left: boolean }) {
  const { say } = useLanguage()
  const { text, mate, kind } = line
  const told = mate === undefined ? null : pieces(text, mate)
  const blanks = told !== null && mate !== undefined && onlySpace(text, mate)
  const rest = text.length - LONGEST
  return (
    <span
      className={`min-w-0 flex-1 pr-3 whitespace-pre-wrap [overflow-wrap:anywhere] ${left && kind === "add" ? "line-through" : ""}`}
    >
      {told && !left
        ? told.map((one, place) =>
            one.changed ? (
              <span key={place} className={MARKS[kind]} data-changed>
                {blanks ? visible(one.text) : one.text}
              </span>
            ) : (
              one.text
            ),
          )
        : rest > 0
          ? text.slice(0, LONGEST)
          : text || " "}
      {rest > 0 && <em className="text-warn"> {say("diffLong", { n: rest })}</em>}
    </span>
  )
})
