import type { Thread } from "../api/types"

export type Group = "pinned" | "today" | "yesterday" | "week" | "month" | "earlier"

const DAYS: [Group, number][] = [
  ["today", 0],
  ["yesterday", 1],
  ["week", 7],
  ["month", 30],
]

export function titleOf(thread: Thread): string {
  return thread.metadata.title ?? ""
}

/** What is known after the newest `limit` conversations were asked for anew; what has not changed is the same object. */
export function merged(known: Thread[], newest: readonly Thread[], limit: number): Thread[] {
  const last = newest.at(-1)
  const before = new Map(known.map((one) => [one.thread_id, one]))
  const fresh = newest.map((one) => same(before.get(one.thread_id), one))
  const here = new Set(newest.map((one) => one.thread_id))
  const end = newest.length < limit || !last ? -Infinity : Date.parse(last.updated_at)
  const now = [...fresh, ...known.filter((one) => !here.has(one.thread_id) && Date.parse(one.updated_at) <= end)]
  return now.length === known.length && now.every((one, place) => one === known[place]) ? known : now
}

/** Older conversations, behind those that are known. */
export function appended(known: readonly Thread[], older: readonly Thread[]): Thread[] {
  const here = new Set(known.map((one) => one.thread_id))
  return [...known, ...older.filter((one) => !here.has(one.thread_id))]
}

/** Conversations by when something last happened in them; those that were pinned come first. */
export function grouped(threads: readonly Thread[], now = new Date()): [Group, Thread[]][] {
  const groups: Record<Group, Thread[]> = { pinned: [], today: [], yesterday: [], week: [], month: [], earlier: [] }
  const since = DAYS.map(([name, days]) => [name, new Date(now.getFullYear(), now.getMonth(), now.getDate() - days).getTime()] as const)
  for (const one of threads) {
    const at = Date.parse(one.updated_at)
    const day = since.find(([, from]) => at >= from)?.[0] ?? "earlier"
    groups[one.metadata.pinned ? "pinned" : day].push(one)
  }
  return (Object.entries(groups) as [Group, Thread[]][]).filter(([, list]) => list.length)
}

/** Those in whose title every word stands. */
export function found(threads: readonly Thread[], sought: string): Thread[] {
  const words = sought.toLowerCase().split(/\s+/).filter(Boolean)
  return threads.filter((one) => {
    const title = titleOf(one).toLowerCase()
    return words.every((word) => title.includes(word))
  })
}

function same(before: Thread | undefined, now: Thread): Thread {
  return before && JSON.stringify(before) === JSON.stringify(now) ? before : now
}
