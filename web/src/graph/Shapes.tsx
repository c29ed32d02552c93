import { memo } from "react"
import type { Line, Placed, Rect } from "./layout"
import type { Look, Mark } from "./marks"
import type { Model, Node } from "./model"

interface Props {
  model: Model
  placed: Placed
  marks: ReadonlyMap<string, Mark>
  chosen: string
  choose: (id: string) => void
  words: { start: string; end: string }
}

const LOOKS: Record<Look, string> = {
  running: "fill-page stroke-accent",
  waiting: "fill-warn-bg stroke-warn",
  failed: "fill-bad-bg stroke-bad",
  passed: "fill-good-bg stroke-good",
}
const BADGES: Record<Look, string> = { running: "fill-accent", waiting: "fill-warn", failed: "fill-bad", passed: "fill-good" }

/** The drawing itself: boxes, edges over them, nodes over these. */
export const Shapes = memo(function Shapes({ model, placed, marks, chosen, choose, words }: Props) {
  return (
    <>
      <defs>
        <Arrow id="arrow" look="fill-soft" />
        <Arrow id="arrow-chosen" look="fill-accent" />
      </defs>
      {model.boxes.map((one) => {
        const at = placed.boxes[one.id]
        return at && <Box key={one.id} label={one.label} at={at} look={marks.get(one.id)?.look} />
      })}
      {placed.lines.map((one, index) => (
        <Edge key={index} line={one} chosen={one.from === chosen || one.to === chosen} faint={chosen !== ""} />
      ))}
      {model.nodes.map((one) => {
        const at = placed.nodes[one.id]
        const label = one.kind === "node" ? one.label : words[one.kind]
        return at && <Shape key={one.id} node={one} label={label} at={at} mark={marks.get(one.id)} chosen={one.id === chosen} choose={choose} />
      })}
    </>
  )
})

function Arrow({ id, look }: { id: string; look: string }) {
  return (
    <marker id={id} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
      <path d="M0 0.5 8 4 0 7.5z" className={look} />
    </marker>
  )
}

function Box({ label, at, look }: { label: string; at: Rect; look: Look | undefined }) {
  return (
    <g data-look={look}>
      <rect {...at} rx={12} strokeWidth={look ? 2 : 1} className={look ? `${LOOKS[look].split(" ")[1]} fill-panel` : "fill-panel stroke-line"} />
      <text x={at.x + 12} y={at.y + 18} fontSize={12} fontWeight={600} className="fill-soft">
        {label}
      </text>
    </g>
  )
}

function Edge({ line, chosen, faint }: { line: Line; chosen: boolean; faint: boolean }) {
  return (
    <g opacity={faint && !chosen ? 0.3 : 1}>
      <path
        d={curve(line.points)}
        fill="none"
        strokeWidth={chosen ? 1.8 : 1.2}
        strokeDasharray={line.conditional ? "5 4" : undefined}
        markerEnd={`url(#arrow${chosen ? "-chosen" : ""})`}
        className={chosen ? "stroke-accent" : "stroke-soft/70"}
      />
      {line.at && line.when && (
        <text x={line.at.x} y={line.at.y + 4} fontSize={11} textAnchor="middle" strokeWidth={4} paintOrder="stroke" className="fill-soft stroke-page">
          {line.when.length > 40 ? `${line.when.slice(0, 39)}…` : line.when}
        </text>
      )}
    </g>
  )
}

interface ShapeProps {
  node: Node
  label: string
  at: Rect
  mark: Mark | undefined
  chosen: boolean
  choose: (id: string) => void
}

function Shape({ node, label, at, mark, chosen, choose }: ShapeProps) {
  const middle = at.x + at.width / 2
  const round = node.kind === "node" ? 9 : at.height / 2
  const plain = node.kind === "node" ? "fill-raised stroke-soft/50" : "fill-panel stroke-soft/50"
  return (
    <g data-node={node.id} data-look={mark?.look} onClick={() => choose(chosen ? "" : node.id)} className="cursor-pointer">
      {chosen && <rect x={at.x - 4} y={at.y - 4} width={at.width + 8} height={at.height + 8} rx={round + 4} fill="none" strokeWidth={2} className="stroke-accent" />}
      <rect {...at} rx={round} strokeWidth={mark ? 2 : 1} className={mark ? LOOKS[mark.look] : plain} />
      {mark?.look === "running" && <rect {...at} rx={round} className="beats fill-accent/20" />}
      <text x={middle} y={at.y + at.height / 2 + 4.5} fontSize={13} textAnchor="middle" className="fill-ink">
        {label}
      </text>
      {mark && <Badge x={at.x + at.width} y={at.y} mark={mark} />}
    </g>
  )
}

/** When the node was passed first, and how often; a dot while it was not. */
function Badge({ x, y, mark: { look, pass } }: { x: number; y: number; mark: Mark }) {
  const words = pass ? `${pass.order}${pass.count > 1 ? ` ×${pass.count}` : ""}` : ""
  const width = Math.max(16, words.length * 6.6 + 9)
  return (
    <g>
      <rect x={x - width + 8} y={y - 8} width={width} height={16} rx={8} className={BADGES[look]} />
      <text x={x - width / 2 + 8} y={y + 4} fontSize={11} fontWeight={600} textAnchor="middle" className="fill-page">
        {words}
      </text>
    </g>
  )
}

/** A line that bends at the points and meets the first and the last. */
function curve(points: Line["points"]): string {
  const [first, ...rest] = points
  const last = rest.pop()
  if (!first || !last) return ""
  const bends = rest.map((one, index) => {
    const next = rest[index + 1] ?? last
    const to = index + 1 < rest.length ? { x: (one.x + next.x) / 2, y: (one.y + next.y) / 2 } : next
    return `Q${one.x} ${one.y} ${to.x} ${to.y}`
  })
  return `M${first.x} ${first.y}${bends.length ? bends.join("") : `L${last.x} ${last.y}`}`
}
