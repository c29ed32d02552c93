import { useCallback, useEffect, useState } from "react"
import { type ChangedFile, files, type FolderListing } from "../api/files"
import type { Known } from "./tree"

/** What was open when the tab was last seen, by thread. */
const remembered = new Map<string, ReadonlySet<string>>()

export const sentence = (failure: unknown) => (failure instanceof Error ? failure.message : String(failure))

function joined(before: Known | undefined, told: FolderListing, offset: number): Known {
  const kept = offset && before ? before.entries : []
  return { entries: [...kept, ...told.entries], total: told.total, state: "ready", problem: "" }
}

/** The folders of a thread's workspace as far as they were opened; looked at anew whenever `turn` is another. */
export function useTree(thread: string, turn: string) {
  const [known, setKnown] = useState<ReadonlyMap<string, Known>>(new Map())
  const [open, setOpen] = useState(() => remembered.get(thread) ?? new Set<string>())
  const [changed, setChanged] = useState<ChangedFile[]>([])
  const [root, setRoot] = useState("")
  const [problem, setProblem] = useState("")

  const load = useCallback(
    (folder: string, offset = 0) => {
      const put = (change: (before: Known | undefined) => Known) =>
        setKnown((all) => new Map(all).set(folder, change(all.get(folder))))
      return files.list(thread, folder, offset).then(
        (told) => {
          if (!folder) setRoot(told.workspace)
          put((before) => joined(before, told, offset))
        },
        (failure: unknown) =>
          put((before) => ({ entries: before?.entries ?? [], total: before?.total ?? 0, state: "failed", problem: sentence(failure) })),
      )
    },
    [thread],
  )

  const look = useCallback(() => {
    for (const folder of ["", ...(remembered.get(thread) ?? [])]) void load(folder)
    files.changed(thread).then(
      (found) => {
        setChanged(found)
        setProblem("")
      },
      (failure: unknown) => setProblem(sentence(failure)),
    )
  }, [thread, load])

  useEffect(look, [look, turn])

  const toggle = useCallback(
    (folder: string) => {
      const next = new Set(open)
      if (next.delete(folder)) setOpen(next)
      else {
        setOpen(next.add(folder))
        void load(folder)
      }
      remembered.set(thread, next)
    },
    [thread, load, open],
  )

  return { known, open, changed, root, problem, look, toggle, more: load }
}
