import { isKept, respond } from "../api/approvals"
import { approvals, type RunStart, Refused, runs, steering, threads } from "../api/client"
import { type Checkpoint, checkpoints } from "../api/history"
import { read } from "../api/sse"
import { keep, kept } from "../offline/kept"
import type { Approval, Content, Decision, Json, Run, State, Steered, StreamEvent, Thread } from "../api/types"
import { contentOf, inShort, wordsOf } from "./attached"
import { cut, feet, type Foot, grow } from "./branches"
import { empty, fromState, heard, reduce, said, stopped, type View } from "./events"
import { newId } from "./ids"

export type Phase = "loading" | "idle" | "queued" | "processing" | "executing" | "stopping" | "waiting" | "error" | "lost" | "offline" | "refused"

/** Words that wait behind the run that is on. */
export interface Queued {
  run: string
  words: string
}

/** What is on screen in place of the newest state. */
export interface Shown {
  /** `past` is only looked at; what is said on a `branch` goes on from there. */
  kind: "past" | "branch"
  checkpoint: string
  at: string | null
  view: View
  next: string[]
}

/** Everything the chat of one thread shows. Replaced as a whole, at most once a frame. */
export interface Snapshot {
  view: View
  approvals: Approval[]
  /** The graph waits before a step, with no question: a breakpoint. */
  paused: string[]
  queued: Queued[]
  /** What was said to the run that is on, and it has not heard. */
  steered: Steered[]
  phase: Phase
  /** Which place the run has in the queue; 0: none, or not known. */
  position: number
  /** The id of what a person said and the server does not have yet. */
  sending: string
  reconnecting: boolean
  /** A sentence about what went wrong beside the run itself. */
  notice: string
  /** When what is shown was kept, in ms, while the server cannot be reached; else 0. */
  keptAt: number
  run: string
  /** The thread's checkpoints as far as they are known, newest first, and whether there are older ones. */
  past: Checkpoint[]
  older: boolean
  shown: Shown | null
  /** What can be done at the messages on screen, by their ids. */
  feet: ReadonlyMap<string, Foot>
  /** The message that is being said otherwise. */
  editing: string
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
const QUIET_MS = 3_000 // a link that is back sooner is nobody's worry
const HIDDEN_MS = 250 // a hidden page draws no frames
const PLACE_MS = 2_000 // how often a run that waits is asked for its place
const REPLAY_MS = 300 // what comes so soon after joining happened before
const STOPPED: Run["status"] = "interrupted" // by a person: one that asks ends well
const UNFINISHED = new Set<Run["status"]>(["pending", "running"])
const NOTHING: Snapshot = {
  view: empty,
  approvals: [],
  paused: [],
  queued: [],
  steered: [],
  phase: "loading",
  position: 0,
  sending: "",
  reconnecting: false,
  notice: "",
  keptAt: 0,
  run: "",
  past: [],
  older: false,
  shown: null,
  feet: new Map(),
  editing: "",
}

const PAGE = 200 // checkpoints; a turn makes about five
const BRANCH = "artel.branch."

/** What the server says of a thread, in one look. */
interface Look {
  recent: Run[]
  thread: Thread
  state: State
  open: Approval[]
  said: Steered[]
}

/** A thread on screen: loads it, follows its runs, sends to it. An external store; React only draws it. */
export class Session {
  private now = NOTHING
  private pending: Partial<Snapshot> = {}
  private readonly listeners = new Set<() => void>()
  private drawn: (() => void) | null = null
  private following: AbortController | null = null
  private seen = ""
  private begun = false
  private joined = 0
  private closed = false
  private losing = false
  private patience = FIRST_WAIT_MS
  private greeted = false
  private sending: Promise<unknown> = Promise.resolve()

  constructor(
    readonly thread: string,
    private readonly changed: () => void,
  ) {}

  subscribe = (listener: () => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  snapshot = () => this.now

  /** What the next frame will show. */
  ahead = () => this.merged()

  /** Show what the server holds, then follow what is running. */
  async load(): Promise<void> {
    this.closed = false
    try {
      const look = await this.look()
      if (this.following) return
      const [first] = unfinished(look.recent)
      if (first) {
        this.set({ view: fromState(look.state.values), ...waiting(look) })
        return void this.follow(first.run_id, "-1")
      }
      const newest = look.recent[0]
      if (newest && (look.open.length || newest.status === STOPPED)) {
        this.set({ view: fromState(look.state.values) })
        await this.replay(newest.run_id).catch(() => undefined) // its events may be gone: less is shown
      }
      this.rest(look)
      const chosen = sessionStorage.getItem(BRANCH + this.thread)
      if (chosen && !this.merged().shown) await this.show(chosen, "branch").catch(() => this.back())
    } catch (failure) {
      if (failure instanceof Refused) this.set({ phase: "refused", notice: sentence(failure) })
      else await this.lose(failure)
    }
  }

  /** The server cannot be reached: show what was kept, and look again by and by. */
  private async lose(failure: unknown): Promise<void> {
    const { view, keptAt } = this.merged()
    const known = view.root.length ? undefined : await kept(this.thread).catch(() => undefined)
    if (known) this.set({ view: { ...empty, root: known.root, todos: known.todos }, phase: "offline", keptAt: known.at })
    else if (view.root.length) this.set({ phase: "offline", keptAt: keptAt || Date.now(), reconnecting: false })
    else this.set({ phase: "lost", notice: sentence(failure), reconnecting: false })
    if (this.losing || this.closed) return
    this.losing = true
    await pause(this.patience * (0.7 + Math.random() * 0.6), AbortSignal.any([]))
    this.losing = false
    this.patience = Math.min(this.patience * 2, LONGEST_WAIT_MS)
    const { phase } = this.merged()
    if (!this.closed && !this.following && (phase === "lost" || phase === "offline")) await this.load()
  }

  /** The thread list saw this thread: look again if somebody else moved it. */
  noticed(thread: Thread): void {
    const { phase } = this.merged()
    if (this.following || this.closed || phase === "loading") return
    const resting = thread.status === "busy" || (phase === "waiting") !== asks(thread)
    if (resting) void this.load()
  }

  /** Send the words a thread was made for, once, however often the page mounts. */
  async greet(words: string, start: Omit<RunStart, "input">): Promise<void> {
    if (this.greeted) return this.load()
    this.greeted = true
    await this.send(words, start)
  }

  /** Send a person's words; while a run is on they queue behind it. Gives them back by throwing. */
  send(words: string, start: Omit<RunStart, "input">): Promise<void> {
    const sent = this.sending.then(() => this.deliver(words, start))
    this.sending = sent.catch(() => {}) // in the order they were said, whatever became of those before
    return sent
  }

  private async deliver(words: string, start: Omit<RunStart, "input">): Promise<void> {
    const message = { type: "human" as const, id: newId(), content: contentOf(words) }
    const order = { ...(await this.addressed(start)), input: { messages: [message] }, ...this.from() }
    this.set({ notice: "" })
    if (this.following) {
      const run = await runs.queue(this.thread, order)
      this.back()
      this.set({ queued: [...this.merged().queued, { run: run.run_id, words: inShort(words) }] })
      return
    }
    const { view, shown } = this.merged()
    const next = spoken(shown?.view ?? view, message)
    if (!shown) this.set({ sending: message.id, view: next })
    try {
      await this.begin(order, next)
    } catch (failure) {
      const { view: now } = this.merged()
      const live = now.live.filter((one) => one.id !== message.id)
      this.set({ view: { ...now, live, error: view.error } })
      throw failure
    } finally {
      this.set({ sending: "" })
    }
  }

  /** Say a message otherwise: a branch from before it. Gives the words back by throwing. */
  async edit(message: string, words: string, start: Omit<RunStart, "input">): Promise<void> {
    const { view, shown, feet } = this.merged()
    const said = { type: "human" as const, id: newId(), content: contentOf(words) }
    const checkpoint = { checkpoint_id: feet.get(message)?.edit ?? "" }
    const before = cut(shown?.view ?? view, message, { with: false })
    await this.begin({ ...start, input: { messages: [said] }, checkpoint }, spoken(before, said))
  }

  /** Have a message answered anew: a branch from where it was said. */
  async again({ checkpoint, message }: NonNullable<Foot["again"]>, start: Omit<RunStart, "input">): Promise<void> {
    const { view, shown } = this.merged()
    const order = { ...start, input: null, checkpoint: { checkpoint_id: checkpoint } }
    await this.begin(order, cut(shown?.view ?? view, message, { with: true }))
  }

  /** Open the last message of the person that can be said otherwise. */
  editLast(): void {
    const { view, shown, feet } = this.merged()
    const last = (shown?.view ?? view).root.findLast((one) => one.role === "person" && feet.get(one.id)?.edit)
    if (last && !this.following && shown?.kind !== "past") this.reword(last.id)
  }

  /** Have a message said otherwise; "": none. */
  reword(message: string): void {
    this.set({ editing: message })
  }

  /** Show a state of the past, to look at it or to go on from it. */
  async show(checkpoint: string, kind: Shown["kind"]): Promise<void> {
    if (kind === "branch" && checkpoint === this.merged().past[0]?.checkpoint_id) return this.back()
    const state = await checkpoints.state(this.thread, checkpoint)
    if (kind === "branch") sessionStorage.setItem(BRANCH + this.thread, checkpoint)
    const view = fromState(state.values)
    this.lookAt({ kind, checkpoint, at: state.created_at, view, next: state.next })
  }

  /** Show the newest state. */
  back(): void {
    sessionStorage.removeItem(BRANCH + this.thread)
    if (this.merged().shown) this.lookAt(null)
  }

  /** Learn which checkpoints there are; `older`: those before the ones that are known. */
  async remember({ older = false } = {}): Promise<void> {
    const before = this.merged().past
    const found = await checkpoints.of(this.thread, PAGE, older ? before.at(-1)?.checkpoint_id : "")
    const rest = older ? [] : before.filter((one) => one.checkpoint_id < (found.at(-1)?.checkpoint_id ?? ""))
    const past = older ? [...before, ...found] : [...found, ...rest]
    const more = older || !rest.length ? found.length === PAGE : this.merged().older
    this.set({ past, older: more, feet: standing(past, this.merged().shown) })
  }

  private lookAt(shown: Shown | null): void {
    this.set({ shown, editing: "", feet: standing(this.merged().past, shown) })
  }

  /** Where a run begins that is started now. */
  private from(): Pick<RunStart, "checkpoint"> {
    const { shown } = this.merged()
    return shown?.kind === "branch" ? { checkpoint: { checkpoint_id: shown.checkpoint } } : {}
  }

  /** Say something to the agent that works: it hears it before its next step. Gives it back by throwing. */
  async steer(words: string, start: Omit<RunStart, "input">): Promise<void> {
    if (!this.following) return this.send(words, start)
    this.set({ notice: "" })
    try {
      const said = await steering.say(this.thread, words)
      this.set({ steered: [...this.merged().steered, said] })
    } catch (failure) {
      if (!(failure instanceof Refused) || failure.status !== 409) throw failure
      await this.send(words, start) // the run has just ended
    }
  }

  /** Say it otherwise, while the agent has not heard it. */
  async resteer(one: Steered, text: string): Promise<void> {
    const changed = await steering.change(this.thread, one.steering_id, text)
    this.set({ steered: this.merged().steered.map((old) => (old.steering_id === one.steering_id ? changed : old)) })
  }

  /** Take it back, while the agent has not heard it. */
  async unsteer(one: Steered): Promise<void> {
    await steering.remove(this.thread, one.steering_id)
    this.set({ steered: this.merged().steered.filter((old) => old.steering_id !== one.steering_id) })
  }

  /** Take back words that have not begun. */
  async unqueue(waiting: Queued): Promise<void> {
    await runs.cancel(this.thread, waiting.run)
    this.set({ queued: this.merged().queued.filter((one) => one.run !== waiting.run) })
  }

  /** Answer a question with what its graph goes on with; true if ours was the first answer. */
  async resume(assistant: string, asked: Approval, answer: Json): Promise<boolean> {
    if (isKept(asked) && answer !== null) return this.first(asked, () => respond(asked.approval_id, answer))
    await this.begin({ assistant_id: assistant, command: { resume: { [asked.interrupt_id]: answer } } })
    this.set({ approvals: this.merged().approvals.filter((one) => one !== asked) })
    return true
  }

  /** Go on from the last checkpoint: after a failure, or at a breakpoint. */
  async goOn(start: Omit<RunStart, "input">): Promise<void> {
    const { view, shown } = this.merged()
    await this.begin({ ...start, input: null, ...this.from() }, { ...(shown?.view ?? view), error: null })
  }

  /** Answer an approval; true if ours was the first answer. */
  answer(asked: Approval, decision: Decision | { decisions: Decision[] }): Promise<boolean> {
    return this.first(asked, () => approvals.answer(asked.approval_id, decision))
  }

  private async first(asked: Approval, say: () => Promise<{ run_id: string }>): Promise<boolean> {
    try {
      const started = await say()
      this.set({ approvals: this.merged().approvals.filter((one) => one.approval_id !== asked.approval_id) })
      if (!this.following) void this.follow(started.run_id, "-1")
      return true
    } catch (failure) {
      if (!(failure instanceof Refused) || ![404, 409].includes(failure.status)) throw failure
      await this.load()
      return false
    }
  }

  /** Stop what runs on this thread, whoever started it and wherever. */
  async stop(): Promise<void> {
    const running = unfinished(await threads.runs(this.thread))[0]
    if (!running) return
    this.set({ phase: "stopping" })
    await runs.cancel(this.thread, running.run_id)
  }

  close(): void {
    this.closed = true
    this.following?.abort()
    this.following = null
    this.drawn?.()
    this.drawn = null
  }

  private async look(): Promise<Look> {
    const [recent, thread, state, open, said] = await Promise.all([
      threads.runs(this.thread),
      threads.get(this.thread),
      threads.state(this.thread),
      approvals.pending(this.thread),
      steering.of(this.thread),
    ])
    return { recent, thread, state, open: withForeign(open, this.thread, state), said }
  }

  /** Show what agents inside said before they asked: the root graph's state does not hold it yet. */
  private async replay(run: string): Promise<void> {
    const response = await runs.join(this.thread, run, "-1", AbortSignal.timeout(LONGEST_WAIT_MS))
    this.seen = ""
    this.joined = Date.now()
    for await (const events of read(response)) this.take(events)
  }

  /** Who is asked where the page does not know yet who there is: who answered on this thread before. */
  private async addressed<Start extends { assistant_id: string }>(start: Start): Promise<Start> {
    if (start.assistant_id) return start
    const { metadata } = await threads.get(this.thread)
    return { ...start, assistant_id: metadata.assistant_id ?? metadata.graph_id ?? "" }
  }

  private async begin(start: RunStart, view?: View): Promise<void> {
    const control = new AbortController()
    const response = await runs.stream(this.thread, await this.addressed(start), control.signal)
    const run = /runs\/([^/]+)/.exec(response.headers.get("Content-Location") ?? "")?.[1] ?? ""
    this.changed()
    if (view) {
      this.back()
      this.set({ view, editing: "", ...(start.checkpoint ? { approvals: [] } : {}) })
    }
    void this.follow(run, "", { response, control })
  }

  /** Follow a run to its end over any number of connections, then whatever comes after it on the thread. */
  private async follow(run: string, after: string, open?: { response: Response; control: AbortController }) {
    this.following?.abort()
    const control = open?.control ?? new AbortController()
    this.following = control
    this.seen = after === "-1" ? "" : after
    const queued = this.merged().queued.filter((one) => one.run !== run)
    this.set({ run, queued, paused: [], phase: "processing", position: 0, reconnecting: false, keptAt: 0 })
    this.begun = false
    void this.queues(run, control)
    const gone = () => this.closed || this.following !== control
    let wait = FIRST_WAIT_MS
    let response = open?.response
    while (!gone()) {
      try {
        response ??= await runs.join(this.thread, run, this.seen || "-1", control.signal)
        this.joined = open?.response === response ? 0 : Date.now()
        this.set({ reconnecting: false })
        for await (const events of read(response)) {
          if (gone()) return
          wait = FIRST_WAIT_MS
          this.take(events)
        }
        const ended = await runs.get(this.thread, run)
        if (!UNFINISHED.has(ended.status)) break
      } catch (failure) {
        if (gone()) return
        if (failure instanceof Refused && failure.status === 404) break
        this.set({ reconnecting: wait > QUIET_MS })
      }
      response = undefined
      await pause(wait * (0.7 + Math.random() * 0.6), control.signal)
      wait = Math.min(wait * 2, LONGEST_WAIT_MS)
    }
    if (gone()) return
    this.following = null
    this.changed()
    await this.settle()
  }

  /** While a run waits for its turn, say so, and at which place. */
  private async queues(run: string, control: AbortController): Promise<void> {
    let wait = FIRST_WAIT_MS
    for (;;) {
      await pause(wait, control.signal)
      wait = PLACE_MS
      const over = () => this.closed || this.begun || this.following !== control || this.merged().phase === "stopping"
      if (over()) return
      const found = await runs.get(this.thread, run).catch(() => null)
      if (over() || (found && found.status !== "pending")) return
      if (found) this.set({ phase: "queued", position: found.queue_position ?? 0 })
    }
  }

  /** After a run: its final state, its questions, and the next run of the thread if one waits. */
  private async settle(): Promise<void> {
    try {
      const look = await this.look()
      if (this.following) return
      const [next] = unfinished(look.recent)
      if (next) {
        this.set({ ...waiting(look) })
        return void this.follow(next.run_id, "-1")
      }
      this.rest(look)
    } catch (failure) {
      await this.lose(failure)
    }
  }

  /** Nothing runs: show what the server holds. */
  private rest(look: Look): void {
    const before = this.merged().view
    const error = look.thread.status === "error" ? (look.thread.error ?? before.error) : null
    const halted = look.recent[0]?.status === STOPPED
    const held = halted ? stopped(look.state.values, before) : fromState(look.state.values, before)
    const view = { ...(look.open.length ? before : held), error }
    const phase = look.open.length ? "waiting" : error ? "error" : "idle"
    const paused = look.open.length || error || halted ? [] : look.state.next
    this.patience = FIRST_WAIT_MS
    this.set({ view, ...waiting(look), paused, phase, run: "", reconnecting: false, notice: "", keptAt: 0 })
    void keep(this.thread, view).catch(() => undefined) // a browser without room shows all the same
    this.remember().catch(() => undefined) // nothing is known of branches: none is offered
  }

  private take(events: StreamEvent[]): void {
    const fresh = events
      .filter((one) => !one.id || !this.seen || Number(one.id) > Number(this.seen))
      .map(({ at = 0, ...one }) => (at - this.joined > REPLAY_MS ? { ...one, at } : one))
    const last = events.at(-1)
    if (last?.id) this.seen = last.id
    this.begun ||= events.length > 0
    const { phase: before, ...now } = this.merged()
    const view = fresh.reduce(reduce, now.view)
    const busy = busyWithTools(view) ? "executing" : "processing"
    const known = new Set(fresh.flatMap(heard))
    const steered = known.size ? now.steered.filter((one) => !known.has(one.steering_id)) : now.steered
    this.set({ view, steered, phase: this.following && before !== "stopping" ? busy : before })
  }

  private merged(): Snapshot {
    return { ...this.now, ...this.pending }
  }

  private set(change: Partial<Snapshot>): void {
    if (this.closed) return
    this.pending = { ...this.pending, ...change }
    this.drawn ??= onceDrawn(() => {
      this.drawn = null
      this.now = this.merged()
      this.pending = {}
      for (const listener of this.listeners) listener()
    })
  }
}

/** A question waits for a person; a run that was stopped leaves a thread `interrupted` too. */
export function asks(thread: Thread): boolean {
  return thread.status === "interrupted" && Object.values(thread.interrupts ?? {}).some((asked) => asked.length)
}

export function sentence(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure)
}

/** What can be done at the messages of what is on screen. */
function standing(past: Checkpoint[], shown: Shown | null): Snapshot["feet"] {
  const head = shown?.checkpoint ?? past[0]?.checkpoint_id ?? ""
  return feet(grow(past), head)
}

function spoken(view: View, message: { id: string; type: string; content: Content }): View {
  const event = { event: "messages", data: JSON.stringify([message, {}]), id: "" }
  return reduce({ ...view, error: null }, event)
}

function unfinished(recent: Run[]): Run[] {
  return recent.filter((run) => UNFINISHED.has(run.status)).reverse()
}

function waiting({ recent, open, said }: Look): Pick<Snapshot, "approvals" | "queued" | "steered"> {
  const behind = unfinished(recent).slice(1)
  const words = (run: Run) => wordsOf(run.kwargs?.input?.messages?.at(-1)?.content)
  const queued = behind.map((run) => ({ run: run.run_id, words: inShort(words(run)) }))
  return { approvals: open, queued, steered: said.filter((one) => one.status === "waiting") }
}

/** Questions that the ledger does not know are asked all the same, and answered over the wire. */
function withForeign(open: Approval[], thread: string, state: State): Approval[] {
  const asked = (state.tasks ?? []).flatMap((task) => task.interrupts ?? [])
  const known = new Set(open.map((one) => one.interrupt_id))
  const schemas = new Map(asked.map((one) => [one.id, one.response_schema ?? null]))
  const foreign = asked.filter((one) => !known.has(one.id))
  return [
    ...open.reverse().map((one) => ({ ...one, schema: schemas.get(one.interrupt_id) ?? null })), // oldest first
    ...foreign.map(({ id, value, response_schema: schema = null }): Approval => ({
      approval_id: id,
      thread_id: thread,
      run_id: "",
      interrupt_id: id,
      kind: "foreign",
      tool: null,
      args: null,
      value,
      schema,
      status: "pending",
      expires_at: null,
    })),
  ]
}

function busyWithTools(view: View): boolean {
  const shown = said(view).slice(-20)
  const done = new Set(shown.map((one) => one.callId))
  return shown.some((one) => one.calls.some((call) => !done.has(call.id)))
}

/** Call once with the next frame; a hidden page has none, so there a timer does. Returns how to call it off. */
function onceDrawn(draw: () => void): () => void {
  if (document.hidden) {
    const timer = setTimeout(draw, HIDDEN_MS)
    return () => clearTimeout(timer)
  }
  let timer: ReturnType<typeof setTimeout> | undefined = undefined
  const frame = requestAnimationFrame(() => {
    clearTimeout(timer)
    draw()
  })
  timer = setTimeout(() => {
    cancelAnimationFrame(frame)
    draw()
  }, HIDDEN_MS)
  return () => {
    cancelAnimationFrame(frame)
    clearTimeout(timer)
  }
}

function pause(ms: number, called: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done() {
      clearTimeout(timer)
      window.removeEventListener("online", done)
      document.removeEventListener("visibilitychange", done)
      called.removeEventListener("abort", done)
      resolve()
    }
    window.addEventListener("online", done)
    document.addEventListener("visibilitychange", done)
    called.addEventListener("abort", done)
  })
}
