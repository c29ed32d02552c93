import { useSyncExternalStore } from "react"
import { type Inbox, look, type Waiting } from "../api/inbox"

export interface WhatWaits extends Inbox {
  /** Whether the server has told yet. */
  known: boolean
  failed: string
}

export const PAGE = 100
const SEEN = "artel.inbox.seen"
const DAY_MS = 86_400_000

let now: WhatWaits = { waiting: [], more: false, ended: [], known: false, failed: "" }
let limit = PAGE
let looking: Promise<void> | null = null
let again = false
const answered = new Set<string>()
const listeners = new Set<() => void>()

/** What tells one question from all others, also from one asked later in its place. */
export function keyOf(one: Waiting): string {
  return one.approval_id ?? `${one.thread_id} ${one.interrupt_id} ${one.asked_at}`
}

/** What waits for the person over all conversations, as the server last told it. */
export function useWaiting(): WhatWaits {
  return useSyncExternalStore(subscribe, () => now)
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export const whatWaits = () => now

/** Ask the server; a call while it is being asked has it asked once more. */
export function refresh(): Promise<void> {
  if (looking) {
    again = true
    return looking
  }
  looking = ask().finally(() => {
    looking = null
    if (again) {
      again = false
      void refresh()
    }
  })
  return looking
}

async function ask(): Promise<void> {
  try {
    const found = await look(limit, seen())
    const waiting = found.waiting.filter((one) => !answered.has(keyOf(one)))
    set({ ...found, waiting, known: true, failed: "" })
  } catch (failure) {
    set({ ...now, failed: failure instanceof Error ? failure.message : String(failure) })
  }
}

/** Ask for a page more from now on. */
export function showMore(): Promise<void> {
  limit = Math.min(limit + PAGE, 1000)
  return refresh()
}

/** It was answered here: it is gone before the server says so. */
export function settled(one: Waiting): void {
  answered.add(keyOf(one))
  set({ ...now, waiting: now.waiting.filter((other) => keyOf(other) !== keyOf(one)) })
  void refresh()
}

/** When the person last looked at what had ended. */
export function seen(): string {
  return localStorage.getItem(SEEN) ?? new Date(Date.now() - DAY_MS).toISOString()
}

export function markSeen(): void {
  localStorage.setItem(SEEN, new Date().toISOString())
  set({ ...now, ended: [] })
}

function set(next: WhatWaits): void {
  const same = JSON.stringify(next) === JSON.stringify(now)
  if (same) return
  now = next
  for (const listener of listeners) listener()
}
