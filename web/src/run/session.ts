import { approvals, type RunStart, Refused, runs, threads } from "../api/client"
import { read } from "../api/sse"
import type { Approval, Decision, Json, Run, StreamEvent, Thread } from "../api/types"
import { empty, fromState, reduce, said, type View } from "./events"

export type Phase = "loading" | "idle" | "queued" | "processing" | "executing" | "waiting" | "error" | "lost"

/** Everything the chat of one thread shows. Replaced as a whole, at most once a frame. */
export interface Snapshot {
  view: View
  approvals: Approval[]
  phase: Phase
  reconnecting: boolean
  /** Sentences about what went wrong beside the run itself. */
  notice: string
  run: string
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
const UNFINISHED = new Set<Run["status"]>(["pending", "running"])

/** A thread on screen: loads it, follows its runs, sends to it. An external store; React only draws it. */
export class Session {
  private now: Snapshot = { view: empty, approvals: [], phase: "loading", reconnecting: false, notice: "", run: "" }
  private readonly listeners = new Set<() => void>()
  private frame = 0
  private pending: Partial<Snapshot> = {}
  private following: AbortController | null = null
  private seen = ""
  private closed = false

  constructor(
    readonly thread: string,
    private readonly changed: () => void,
  ) {}

  subscribe = (listener: () => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  snapshot = () => this.now

  /** Show what the server holds, then follow what is running. */
  async load(): Promise<void> {
    this.closed = false
    try {
      const [state, recent, thread, open] = await Promise.all([
        threads.state(this.thread),
        threads.runs(this.thread),
        threads.get(this.thread),
        approvals.pending(this.thread),
      ])
      this.set({ view: { ...fromState(state.values), error: thread.error ?? null }, approvals: open, notice: "" })
      await this.catchUp(recent, thread, open)
    } catch (failure) {
      this.set({ phase: "lost", notice: sentence(failure) })
    }
  }

  /** Send a person's words; while a run is on they queue behind it. Gives them back by throwing. */
  async send(words: string, start: Omit<RunStart, "input">): Promise<void> {
    const id = crypto.randomUUID()
    const input: RunStart["input"] = { messages: [{ type: "human", id, content: words }] }
    this.set({ notice: "" })
    await this.begin({ ...start, input })
  }

  /** Answer a foreign question over the wire. */
  async resume(assistant: string, answer: Json): Promise<void> {
    await this.begin({ assistant_id: assistant, command: { resume: answer } })
  }

  /** Answer an approval; true if ours was the first answer. */
  async answer(asked: Approval, decision: Decision): Promise<boolean> {
    try {
      const started = await approvals.answer(asked.approval_id, decision)
      this.set({ approvals: this.merged().approvals.filter((one) => one.approval_id !== asked.approval_id) })
      void this.follow(started.run_id, "-1")
      return true
    } catch (failure) {
      if (!(failure instanceof Refused) || failure.status === 422) throw failure
      await this.load()
      return false
    }
  }

  /** Stop whatever runs on this thread, whoever started it. */
  async stop(): Promise<void> {
    const recent = await threads.runs(this.thread)
    const live = recent.filter((run) => UNFINISHED.has(run.status))
    await Promise.all(live.map((run) => runs.cancel(this.thread, run.run_id)))
  }

  close(): void {
    this.closed = true
    this.following?.abort()
    cancelAnimationFrame(this.frame)
  }

  private async catchUp(recent: Run[], thread: Thread, open: Approval[]): Promise<void> {
    const live = recent.filter((run) => UNFINISHED.has(run.status)).reverse()
    const [first] = live
    if (first) return this.follow(first.run_id, "-1")
    const newest = recent[0]
    if (open.length && newest) await this.replay(newest.run_id)
    this.set({ phase: open.length ? "waiting" : thread.status === "error" ? "error" : "idle", run: "" })
  }

  /** Show what agents inside said before they asked: the root graph's state does not hold it yet. */
  private async replay(run: string): Promise<void> {
    const silent = new AbortController()
    const response = await runs.join(this.thread, run, "-1", silent.signal)
    for await (const events of read(response, silent)) this.take(events)
  }

  private async begin(start: RunStart): Promise<void> {
    const busy = this.following !== null
    const control = new AbortController()
    const response = await runs.stream(this.thread, start, control.signal)
    const run = /runs\/([^/]+)/.exec(response.headers.get("Content-Location") ?? "")?.[1] ?? ""
    this.changed()
    if (busy) {
      control.abort() // it waits behind the one we follow, and is followed after it
      if (start.input) this.set({ view: withWords(this.merged().view, start.input.messages[0]) })
      return
    }
    if (start.input) this.set({ view: withWords(this.merged().view, start.input.messages[0]) })
    void this.follow(run, "", { response, control })
  }

  /** Follow a run to its end over any number of connections, then whatever comes after it on the thread. */
  private async follow(run: string, after: string, open?: { response: Response; control: AbortController }) {
    this.following?.abort()
    const control = open?.control ?? new AbortController()
    this.following = control
    this.seen = after
    this.set({ run, phase: "processing", reconnecting: false })
    let wait = FIRST_WAIT_MS
    let response = open?.response
    while (!this.closed && this.following === control) {
      const silent = new AbortController()
      const hangUp = () => silent.abort()
      control.signal.addEventListener("abort", hangUp, { once: true })
      try {
        response ??= await runs.join(this.thread, run, this.seen || "-1", silent.signal)
        this.set({ reconnecting: false })
        for await (const events of read(response, silent)) {
          if (this.following !== control) return
          wait = FIRST_WAIT_MS
          this.take(events)
        }
        if (!UNFINISHED.has((await runs.get(this.thread, run)).status)) break
      } catch (failure) {
        if (this.closed || this.following !== control) return
        if (failure instanceof Refused && failure.status === 404) break
        this.set({ reconnecting: true })
      } finally {
        control.signal.removeEventListener("abort", hangUp)
      }
      response = undefined
      await pause(wait * (0.7 + Math.random() * 0.6))
      wait = Math.min(wait * 2, LONGEST_WAIT_MS)
    }
    if (this.closed || this.following !== control) return
    this.following = null
    this.changed()
    await this.settle()
  }

  /** After a run: its final state, its questions, and the next run of the thread if one waits. */
  private async settle(): Promise<void> {
    try {
      const [recent, thread, open] = await Promise.all([
        threads.runs(this.thread),
        threads.get(this.thread),
        approvals.pending(this.thread),
      ])
      if (this.following) return
      const next = recent.filter((run) => UNFINISHED.has(run.status)).at(-1)
      this.set({ approvals: open })
      if (next) return void this.follow(next.run_id, "-1")
      if (!open.length) {
        const state = await threads.state(this.thread)
        const view = { ...fromState(state.values), error: this.merged().view.error }
        this.set({ view })
      }
      const failed = thread.status === "error"
      this.set({ phase: open.length ? "waiting" : failed ? "error" : "idle", run: "", reconnecting: false })
    } catch (failure) {
      this.set({ phase: "lost", notice: sentence(failure), reconnecting: false })
    }
  }

  private take(events: StreamEvent[]): void {
    const fresh = events.filter((one) => !one.id || !this.seen || Number(one.id) > Number(this.seen))
    const last = events.at(-1)
    if (last?.id) this.seen = last.id
    const view = fresh.reduce(reduce, this.merged().view)
    const phase = this.following ? (busyWithTools(view) ? "executing" : "processing") : this.merged().phase
    this.set({ view, phase })
  }

  private merged(): Snapshot {
    return { ...this.now, ...this.pending }
  }

  private set(change: Partial<Snapshot>): void {
    if (this.closed) return
    this.pending = { ...this.pending, ...change }
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0
      this.now = this.merged()
      this.pending = {}
      for (const listener of this.listeners) listener()
    })
  }
}

function withWords(view: View, words: { id: string; content: unknown } | undefined): View {
  if (!words) return view
  const event = { type: "human", id: words.id, content: words.content }
  return reduce({ ...view, error: null }, { event: "messages", data: JSON.stringify([event, {}]), id: "" })
}

function busyWithTools(view: View): boolean {
  const shown = said(view)
  const done = new Set(shown.map((one) => one.callId))
  return shown.some((one) => one.calls.some((call) => !done.has(call.id)))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done() {
      clearTimeout(timer)
      window.removeEventListener("online", done)
      document.removeEventListener("visibilitychange", done)
      resolve()
    }
    window.addEventListener("online", done)
    document.addEventListener("visibilitychange", done)
  })
}

export function sentence(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure)
}
