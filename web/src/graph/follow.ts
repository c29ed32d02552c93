import { Refused, runs, threads } from "../api/client"
import { type Standing, standing as look, steps } from "../api/graph"
import { read } from "../api/sse"
import type { Run } from "../api/types"
import { ended, type Path, standing, start, walk } from "./path"

const LOOK_MS = 300 // after a step: its checkpoint is written by then
const AGAIN_MS = 2_000
const RUNS = 20 // of a thread that are looked at
const UNFINISHED = new Set<Run["status"]>(["pending", "running"])

export interface Shown {
  path: Path
  /** Of the run that is shown; "": the thread has none. */
  status: Run["status"] | ""
}

/** Show the way that the runs of a thread take since a person last wrote, now and as long as the page is open. */
export async function follow(thread: string, signal: AbortSignal, show: (shown: Shown) => void): Promise<void> {
  let known = ""
  while (!signal.aborted) {
    try {
      const turn = lastTurn(await threads.runs(thread, RUNS))
      const newest = turn.at(-1)
      const seen = turn.map((one) => one.run_id + one.status).join()
      if (!newest) show({ path: start, status: "" })
      else if (seen !== known) known = await walked(thread, turn, signal, show)
    } catch (failure) {
      if (failure instanceof Refused && failure.status < 500) throw failure
    }
    await pause(AGAIN_MS, signal)
  }
}

/** Walk the runs of a turn, one after another; returns what was walked. */
async function walked(thread: string, turn: Run[], signal: AbortSignal, show: (shown: Shown) => void): Promise<string> {
  let path = start
  const seen: string[] = []
  for (const run of turn) {
    const live = UNFINISHED.has(run.status)
    const draw = (next: Path, status: Run["status"] = run.status) => show({ path: (path = next), status })
    const looks = live ? new Looks(thread, (next) => draw(standing(path, next))) : null
    looks?.soon()
    const response = await steps(thread, run.run_id, live, signal)
    for await (const events of read(response)) {
      const next = events.reduce(walk, path)
      if (next.order !== path.order) looks?.soon()
      if (live && next !== path) draw(next)
      path = next
    }
    looks?.close()
    if (signal.aborted) return ""
    const status = live ? (await runs.get(thread, run.run_id)).status : run.status
    seen.push(run.run_id + status)
    if (run === turn.at(-1) && !UNFINISHED.has(status)) {
      draw(ended(path, placesOf(await look(thread)), status === "error" || status === "timeout"), status)
    }
  }
  return seen.join()
}

/** Looks at a thread's state a moment after something happened, for the nodes that say nothing; one look at a time. */
class Looks {
  private timer: ReturnType<typeof setTimeout> | undefined
  private looking = false
  private again = false
  private closed = false

  constructor(
    private readonly thread: string,
    private readonly found: (next: string[]) => void,
  ) {}

  /** Look soon: however fast things happen, some look comes to its end. */
  soon(): void {
    if (this.looking) this.again = true
    else this.timer ??= setTimeout(() => void this.look(), LOOK_MS)
  }

  close(): void {
    clearTimeout(this.timer)
    this.closed = true
  }

  private async look(): Promise<void> {
    this.timer = undefined
    this.looking = true
    const state = await look(this.thread).catch(() => null)
    this.looking = false
    if (this.closed) return
    if (state) this.found(state.next)
    if (!this.again) return
    this.again = false
    this.soon()
  }
}

/** The runs since a person last wrote, oldest first: an answer to a question goes on with the same work. */
export function lastTurn(newestFirst: Run[]): Run[] {
  const began = newestFirst.findIndex((one) => one.kwargs?.input)
  return newestFirst.slice(0, began < 0 ? 1 : began + 1).reverse()
}

/** Where a thread stands, as deep as is known. */
export function placesOf(state: Standing, above = ""): string[] {
  return state.next.flatMap((name) => {
    const place = above ? `${above}:${name}` : name
    const inside = (state.tasks ?? []).filter((one) => one.name === name).flatMap((one) => (one.state && "next" in one.state ? placesOf(one.state, place) : []))
    return inside.length ? [...new Set(inside)] : [place]
  })
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true })
  })
}
