import { useEffect, useRef, useState } from "react"
import { largest } from "../api/attachments"
import type { Attached } from "../run/attached"

/** How a file gets to where the agents read. */
export type Attach = (file: File, told: (part: number) => void, signal: AbortSignal) => Promise<Attached>

/** A file that goes with what is being written. */
export interface Piece {
  key: string
  name: string
  bytes: number
  state: "waiting" | "going" | "there" | "failed" | "lost"
  /** How much of it is sent, from 0 to 1. */
  part: number
  path: string
  /** Why it did not get there. */
  problem: string
}

export const MOST = 20 // files with one message

const going = new Map<string, { file: File; control: AbortController }>()

/** Files that go with what is being written; `early` ones are sent as soon as they are chosen. */
export function useAttachments(thread: string, attach: Attach | undefined, early: boolean) {
  const kept = `artel.draft.files.${thread}`
  const [pieces, setPieces] = useState(() => restored(kept))
  const [limit, setLimit] = useState(Infinity)
  const now = useRef(pieces)
  const alive = useRef(true)

  useEffect(() => {
    alive.current = true
    void largest().then((bytes) => alive.current && setLimit(bytes))
    return () => {
      alive.current = false
    }
  }, [])

  function put(next: Piece[]) {
    now.current = next
    if (!alive.current) return
    setPieces(next)
    const drafts = next.filter((one) => one.state !== "failed").map(({ name, bytes, path }) => ({ name, bytes, path }))
    if (drafts.length) localStorage.setItem(kept, JSON.stringify(drafts))
    else localStorage.removeItem(kept)
  }

  function change(key: string, changed: Partial<Piece>) {
    put(now.current.map((one) => (one.key === key ? { ...one, ...changed } : one)))
  }

  async function go(key: string): Promise<void> {
    const one = going.get(key)
    if (!one || !attach) return
    one.control = new AbortController()
    change(key, { state: "going", part: 0, problem: "" })
    try {
      const { name, path, bytes } = await attach(one.file, (part) => change(key, { part }), one.control.signal)
      change(key, { state: "there", name, path, bytes })
      going.delete(key)
    } catch (failure) {
      change(key, { state: "failed", problem: failure instanceof Error ? failure.message : String(failure) })
    }
  }

  return {
    pieces,
    limit: attach ? limit : 0,
    /** Take files up; those that are over the limit, in number or in size, are given back. */
    add(files: File[]): { large: File[]; many: boolean } {
      const large = files.filter((file) => file.size > limit)
      const room = MOST - now.current.length
      const taken = files.filter((file) => file.size <= limit).slice(0, Math.max(0, room))
      const fresh = taken.map((file): Piece => {
        const key = crypto.randomUUID()
        going.set(key, { file, control: new AbortController() })
        return { key, name: file.name, bytes: file.size, state: "waiting", part: 0, path: "", problem: "" }
      })
      put([...now.current.filter((one) => !fresh.some((other) => one.state === "lost" && other.name === one.name)), ...fresh])
      if (early) for (const one of fresh) void go(one.key)
      return { large, many: files.length - large.length > taken.length }
    },
    remove(key: string) {
      going.get(key)?.control.abort()
      going.delete(key)
      put(now.current.filter((one) => one.key !== key))
    },
    retry: (key: string) => void go(key),
    /** Send what is not sent yet; null when a file did not get there. */
    async arrived(): Promise<Attached[] | null> {
      for (const one of now.current) if (one.state === "waiting") await go(one.key)
      while (now.current.some((one) => one.state === "going") && alive.current) await new Promise((go) => setTimeout(go, 50))
      const there = now.current.filter((one) => one.state === "there")
      return there.length === now.current.length ? there.map(({ name, path, bytes }) => ({ name, path, bytes })) : null
    },
    clear: () => put([]),
    giveBack: (files: Attached[]) => put([...files.map(there), ...now.current]),
  }
}

function there({ name, path, bytes }: Attached): Piece {
  return { key: crypto.randomUUID(), name, bytes, path, state: path ? "there" : "lost", part: 1, problem: "" }
}

/** What a draft had: a file that was not sent yet has to be chosen again. */
function restored(kept: string): Piece[] {
  try {
    return (JSON.parse(localStorage.getItem(kept) ?? "[]") as Attached[]).map(there)
  } catch {
    return []
  }
}
