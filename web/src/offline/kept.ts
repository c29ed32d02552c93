import { clear, createStore, del, delMany, get, set, update, type UseStore } from "idb-keyval"
import type { Thread, Todo } from "../api/types"
import type { Said } from "../run/events"

/** A conversation as it was last seen here. */
export interface Kept {
  at: number
  root: Said[]
  todos: Todo[]
}

/** What is known of a kept conversation without reading it. */
export interface Weight {
  thread: string
  at: number
  /** In characters. */
  size: number
}

export const MOST = 50 // conversations
export const ROOM = 20_000_000 // characters, all of them together
const LIST = "list"
const INDEX = "index"
const THREAD = "thread:"

let opened: UseStore | undefined
const store = () => (opened ??= createStore("artel", "kept"))

/** Keep a conversation for the time without a network; the oldest go when there are too many. */
export async function keep(thread: string, { root, todos }: Pick<Kept, "root" | "todos">): Promise<void> {
  const size = JSON.stringify(root).length
  if (size > ROOM) return
  const at = Date.now()
  await set(THREAD + thread, { at, root, todos } satisfies Kept, store())
  let gone: Weight[] = []
  const weighed = (before: Weight[] = []) => {
    const all = [{ thread, at, size }, ...before.filter((one) => one.thread !== thread)]
    gone = tooMany(all)
    return all.filter((one) => !gone.includes(one))
  }
  await update<Weight[]>(INDEX, weighed, store())
  if (gone.length) await delMany(gone.map((one) => THREAD + one.thread), store())
}

export function kept(thread: string): Promise<Kept | undefined> {
  return get<Kept>(THREAD + thread, store())
}

/** A conversation that was deleted is not kept either. */
export async function forget(thread: string): Promise<void> {
  await del(THREAD + thread, store())
  await update<Weight[]>(INDEX, (before = []) => before.filter((one) => one.thread !== thread), store())
}

export function keepList(threads: Thread[]): Promise<void> {
  return set(LIST, threads.slice(0, MOST), store())
}

export function keptList(): Promise<Thread[] | undefined> {
  return get<Thread[]>(LIST, store())
}

/** Forget all that this browser keeps of the server: conversations, drafts, the page itself. */
export async function wipe(): Promise<void> {
  await clear(store())
  for (const key of Object.keys(localStorage)) if (key.startsWith("artel.draft.")) localStorage.removeItem(key)
  if (!("serviceWorker" in navigator)) return
  for (const name of await caches.keys()) if (name.startsWith("artel-")) await caches.delete(name)
  for (const worker of await navigator.serviceWorker.getRegistrations()) await worker.unregister() // the next visit has it anew
}

/** The conversations that are to go: those beyond the number or the room, the newest kept. */
export function tooMany(all: Weight[]): Weight[] {
  let room = ROOM
  return [...all]
    .sort((one, other) => other.at - one.at)
    .filter((one, place) => {
      room -= one.size
      return place >= MOST || room < 0
    })
}
