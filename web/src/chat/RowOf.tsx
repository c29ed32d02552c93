import type { Feedback } from "../api/types"
import type { Said, Span } from "../run/events"
import type { OpenFile } from "../ui/Markdown"
import { Agent } from "./Agent"
import { Compressed } from "./Compressed"
import { Lane, type LaneState } from "./Lane"
import { type Fate, Person } from "./Person"
import type { Lane as LaneRow, Line, Row } from "./rows"
import type { ToolState } from "./Tool"

/** What all rows of a conversation are drawn with. */
export interface Scene {
  busy: boolean
  /** Results by the ids of their calls. */
  results: ReadonlyMap<string, Said>
  spans: ReadonlyMap<string, Span>
  /** Tool calls that wait for a person. */
  asked: ReadonlySet<string>
  /** Messages that the root graph's state holds. */
  kept: ReadonlySet<string>
  /** Messages that some step has finished. */
  finished: ReadonlySet<string>
  last: Said | undefined
  /** What a person said last, and all that no agent has answered since. */
  lastSaid: string
  unread: ReadonlySet<string>
  sending: string
  /** What was said of messages, and what changes it. */
  words: ReadonlyMap<string, Feedback>
  changed: (message: string, word: Feedback | undefined) => void
  foot: (one: Said) => React.ReactNode
  openFile: OpenFile
  /** The id of the message that is looked for. */
  sought: string
}

/** A row of a conversation. */
export function RowOf({ row, scene }: { row: Row; scene: Scene }) {
  if (row.kind === "compressed") return <Compressed mark={row} />
  if (row.kind === "message") return <LineOf line={row} scene={scene} />
  return (
    <Lane
      lane={row}
      state={stateOfLane(row, scene)}
      sought={scene.sought !== "" && row.parts.some((part) => part.key === scene.sought)}
      draw={(part) => <LineOf key={part.key} line={part} scene={scene} inside />}
    />
  )
}

function LineOf({ line: { one, opens }, scene, inside = false }: { line: Line; scene: Scene; inside?: boolean }) {
  const { busy, results, last, kept } = scene
  const isLast = one === last
  const known = kept.has(one.id)
  const foot = known ? scene.foot : undefined
  const drawn =
    one.role === "person" ? (
      <Person one={one} fate={fateOf(one, scene)} last={one.id === scene.lastSaid} foot={foot} />
    ) : (
      <Agent
        one={one}
        opens={opens && !inside}
        inside={inside}
        results={one.calls.map((call) => results.get(call.id))}
        spans={one.calls.map((call) => scene.spans.get(call.id))}
        states={one.calls.map((call) => stateOf(results.get(call.id), scene.asked.has(call.id), busy))}
        open={busy && isLast}
        last={isLast}
        word={scene.words.get(one.id)}
        judged={known && !one.calls.length && !(busy && isLast) ? scene.changed : undefined}
        foot={foot}
        openFile={scene.openFile}
      />
    )
  return <div data-message={one.id}>{drawn}</div>
}

function fateOf(one: Said, { sending, unread }: Scene): Fate {
  if (one.id === sending) return "sending"
  return unread.has(one.id) ? "sent" : "read"
}

function stateOf(result: Said | undefined, asked: boolean, busy: boolean): ToolState {
  if (result) return result.failed ? "failed" : "done"
  if (asked) return "asked"
  return busy ? "running" : "open"
}

/** An agent inside is done when a finished message of its calls nothing more. */
function stateOfLane({ parts }: LaneRow, { asked, finished, busy }: Scene): LaneState {
  const last = parts.at(-1)?.one
  if (parts.some(({ one }) => one.calls.some((call) => asked.has(call.id)))) return "asked"
  if (last && last.role === "agent" && !last.calls.length && finished.has(last.id)) return "done"
  return busy ? "working" : "stopped"
}
