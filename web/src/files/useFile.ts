import { useCallback, useEffect, useState } from "react"
import { Refused } from "../api/client"
import { files, type FileText, isClash } from "../api/files"
import { type Draft, drafts, plain } from "./drafts"
import { sentence } from "./useTree"

interface Seen {
  state: "loading" | "ready" | "gone" | "failed"
  file: FileText | null
  problem: string
}

/** One file as it is on the disk, and what a person makes of it. */
export function useFile(thread: string, path: string, turn: string) {
  const [seen, setSeen] = useState<Seen>({ state: "loading", file: null, problem: "" })
  const [draft, setDraft] = useState<Draft | null>(() => drafts.of(thread, path))
  const [notes, setNotes] = useState<{ saved: boolean; problems: string[] }>({ saved: false, problems: [] })
  const [saving, setSaving] = useState(false)

  const read = useCallback(
    () =>
      files.read(thread, path).then(
        (file) => setSeen({ state: "ready", file, problem: "" }),
        (failure: unknown) => {
          const state = failure instanceof Refused && failure.status === 404 ? "gone" : "failed"
          setSeen((before) => ({ state, file: state === "gone" ? null : before.file, problem: sentence(failure) }))
        },
      ),
    [thread, path],
  )
  useEffect(() => void read(), [read, turn])

  const { file } = seen
  const text = file?.text == null ? null : plain(file.text)
  const keep = (next: Draft | null) => {
    drafts.keep(thread, path, next)
    setDraft(next)
  }

  function change(now: string): void {
    setNotes({ saved: false, problems: [] })
    const base = draft ? draft.sha256 : (file?.sha256 ?? null)
    keep(now === text && base === file?.sha256 ? null : { text: now, sha256: base })
  }

  /** Save what was written if the file is still the one it was written on; `over`: whatever is there now. */
  async function save(over = false): Promise<void> {
    if (!draft || saving) return
    setSaving(true)
    setNotes({ saved: false, problems: [] })
    try {
      const known = over ? (file?.sha256 ?? null) : draft.sha256
      const done = await files.write(thread, path, draft.text, known)
      if (isClash(done)) return await read()
      const { text: sent } = draft
      setSeen((before) => ({ ...before, file: before.file && { ...before.file, text: sent, sha256: done.sha256 } }))
      if (drafts.of(thread, path)?.text === draft.text) keep(null)
      else keep({ text: drafts.of(thread, path)?.text ?? "", sha256: done.sha256 }) // written on meanwhile
      await read()
      setNotes({ saved: true, problems: done.problems })
    } catch (failure) {
      setNotes({ saved: false, problems: [sentence(failure)] })
    } finally {
      setSaving(false)
    }
  }

  const clash = draft !== null && seen.state !== "loading" && draft.sha256 !== (file?.sha256 ?? null)
  return { ...seen, text, draft, clash, notes, saving, change, save, read, discard: () => keep(null) }
}
