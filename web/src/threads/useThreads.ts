import { useCallback, useEffect, useRef, useState } from "react"
import * as wire from "../api/threads"
import type { Thread } from "../api/types"
import { keepList, keptList } from "../offline/kept"
import { appended, merged } from "./listing"

const REFRESH_MS = 3_000

export interface Threads {
  /** Null until they were seen once. */
  all: Thread[] | null
  /** Why the list is not as new as it could be. */
  failed: string
  /** When it was last right, in ms. */
  seen: number
  /** Whether there is nothing older. */
  whole: boolean
  refresh: () => void
  /** Fetch the next older ones. */
  more: () => Promise<void>
  /** Fetch this one, should it be older than what is known. */
  look: (id: string) => void
  /** Change what is kept with one; it shows at once, and is taken back if the server refuses. */
  amend: (id: string, metadata: Thread["metadata"]) => Promise<void>
}

/** The conversations: the newest are looked at again and again, older ones are fetched when asked for. */
export function useThreads(): Threads {
  const [all, setAll] = useState<Thread[] | null>(null)
  const [failed, setFailed] = useState("")
  const [seen, setSeen] = useState(0)
  const [whole, setWhole] = useState(false)
  const depth = useRef(wire.PAGE)
  const fetching = useRef<Promise<void> | null>(null)

  const refresh = useCallback(() => {
    wire
      .page(0)
      .then((newest) => {
        setAll((known) => merged(known ?? newest, newest, wire.PAGE))
        if (newest.length < wire.PAGE) setWhole(true)
        setFailed("")
        setSeen(Date.now())
        void keepList(newest).catch(() => undefined)
      })
      .catch(async (failure: unknown) => {
        setFailed(failure instanceof Error ? failure.message : String(failure))
        const kept = await keptList().catch(() => undefined)
        if (kept) setAll((known) => known ?? kept)
      })
  }, [])

  useEffect(() => {
    refresh()
    wire.pinned().then((kept) => setAll((known) => known && appended(known, kept)), () => undefined)
    const timer = setInterval(() => document.hidden || refresh(), REFRESH_MS)
    document.addEventListener("visibilitychange", refresh)
    return () => {
      clearInterval(timer)
      document.removeEventListener("visibilitychange", refresh)
    }
  }, [refresh])

  const more = useCallback(() => {
    fetching.current ??= wire
      .page(depth.current)
      .then((older) => {
        depth.current += wire.PAGE
        setAll((known) => appended(known ?? [], older))
        if (older.length < wire.PAGE) setWhole(true)
      })
      .catch(() => undefined) // what is asked for by scrolling is asked for again
      .finally(() => {
        fetching.current = null
      })
    return fetching.current
  }, [])

  const looked = useRef("")
  const look = useCallback((id: string) => {
    if (looked.current === id) return
    looked.current = id
    wire.one(id).then((found) => setAll((known) => known && appended(known, found)), () => undefined)
  }, [])

  const amend = useCallback(
    async (id: string, metadata: Thread["metadata"]) => {
      const change = (one: Thread) => (one.thread_id === id ? { ...one, metadata: { ...one.metadata, ...metadata } } : one)
      setAll((known) => known && known.map(change))
      try {
        await wire.amend(id, metadata)
      } finally {
        refresh()
      }
    },
    [refresh],
  )

  return { all, failed, seen, whole, refresh, more, look, amend }
}
