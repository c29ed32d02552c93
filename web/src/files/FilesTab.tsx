import { useEffect, useMemo, useRef, useState } from "react"
import { files } from "../api/files"
import { useLanguage } from "../i18n/language"
import { said } from "../run/events"
import type { TabProps } from "../shell/tabs"
import { Button } from "../ui/Button"
import { Confirm } from "../ui/Confirm"
import { drafts } from "./drafts"
import { FileView } from "./FileView"
import { Tree } from "./Tree"
import { marksOf, nameOf, parentOf, type Row, rowsFor, rowsOf } from "./tree"
import { TreeHead } from "./TreeHead"
import { useTree } from "./useTree"

const FIND_AFTER_MS = 200
const LOOK_AFTER_MS = 400 // several tools that end together are one change on screen

/** Which file was open, by thread, and which wish was heard last. */
const opened = new Map<string, { path: string; wish: number }>()

/** The folder that a conversation works in: its files, what became of them, and an editor. */
export default function FilesTab({ thread, workspace, now, wanted }: TabProps) {
  const { say } = useLanguage()
  const told = useMemo(() => said(now.view).filter((one) => one.role === "tool").length, [now.view])
  const happened = useLater(`${told} ${now.phase}`, LOOK_AFTER_MS)
  const [own, setOwn] = useState(0)
  const turn = `${happened} ${workspace} ${own}`
  const tree = useTree(thread, turn)
  const [filter, setFilter] = useState("")
  const [changedOnly, setChangedOnly] = useState(false)
  const [found, setFound] = useState<{ of: string; paths: string[]; note: string }>({ of: "", paths: [], note: "" })
  const [focused, setFocused] = useState<Row | null>(null)
  const [place, setPlace] = useState(() => opened.get(thread) ?? { path: "", wish: 0 })
  const [last, setLast] = useState(place.path)
  const [leaving, setLeaving] = useState(false)
  const words = useLater(filter.trim(), FIND_AFTER_MS)
  const came = useRef<HTMLDivElement>(null)

  const fresh = wanted && wanted.wish !== place.wish ? wanted : null
  const path = fresh ? fresh.path : place.path
  const line = wanted && wanted.path === path ? wanted.line : 0
  const marks = useMemo(() => marksOf(tree.changed), [tree.changed])

  useEffect(() => {
    if (!words || changedOnly) return
    let current = true
    files.find(thread, words).then(
      ({ paths, note }) => current && setFound({ of: words, paths, note }),
      (failure: Error) => current && setFound({ of: words, paths: [], note: failure.message }),
    )
    return () => void (current = false)
  }, [thread, words, changedOnly, turn])

  const rows = useMemo(() => {
    if (changedOnly) {
      const wantedWords = filter.toLowerCase().split(/\s+/)
      return rowsFor([...marks.keys()].filter((one) => wantedWords.every((word) => one.toLowerCase().includes(word))), marks)
    }
    return filter.trim() ? rowsFor(found.paths, marks) : rowsOf(tree.known, tree.open, marks)
  }, [changedOnly, filter, found, marks, tree.known, tree.open])

  const wish = wanted?.wish ?? place.wish
  useEffect(() => void opened.set(thread, { path, wish }), [thread, path, wish])

  function open(next: string) {
    setLast(next || path)
    setPlace({ path: next, wish })
  }
  function leave() {
    open("")
    requestAnimationFrame(() => came.current?.querySelector<HTMLElement>('[role="treeitem"][tabindex="0"]')?.focus())
  }

  if (path)
    return (
      <>
        <FileView
          key={path}
          thread={thread}
          path={path}
          line={line}
          wish={wish}
          marks={marks}
          turn={turn}
          back={() => (drafts.of(thread, path) ? setLeaving(true) : leave())}
          changed={() => setOwn((count) => count + 1)}
        />
        {leaving && (
          <div onKeyDown={(event) => event.key === "Escape" && event.nativeEvent.stopImmediatePropagation()}>
            <Confirm
              question={say("filesDiscardSure")}
              about={path}
              yes={say("filesDiscard")}
              no={say("filesKeep")}
              act={() => {
                drafts.keep(thread, path, null)
                leave()
              }}
              close={() => setLeaving(false)}
            />
          </div>
        )}
      </>
    )

  const failed = tree.known.get("")
  const folder = focused?.kind === "folder" ? focused.path : focused ? parentOf(focused.path) : ""
  const note = tree.problem || (filter.trim() && !changedOnly ? found.note : "")
  const searching = Boolean(filter.trim()) && !changedOnly && found.of !== filter.trim()
  return (
    <div ref={came} className="flex h-full min-h-0 flex-col">
      <TreeHead
        filter={filter}
        setFilter={setFilter}
        changedOnly={changedOnly}
        setChangedOnly={setChangedOnly}
        changed={tree.changed.length}
        look={() => setOwn((count) => count + 1)}
        downloads={[
          { name: say("filesAll"), url: files.downloadUrl(thread, "") },
          ...(folder ? [{ name: say("filesFolder", { name: nameOf(folder) }), url: files.downloadUrl(thread, folder) }] : []),
          { name: say("filesPatch"), url: files.patchUrl(thread) },
        ]}
      />
      {note && <p className="px-4 py-1.5 text-sm text-soft">{note}</p>}
      <div className="min-h-0 flex-1 overflow-auto" data-testid="files">
        {failed?.state === "failed" && !failed.entries.length ? (
          <div role="alert" className="space-y-2 p-4 text-sm text-bad">
            <p>{failed.problem}</p>
            <Button onClick={tree.look}>{say("retry")}</Button>
          </div>
        ) : rows.length ? (
          <Tree
            rows={rows}
            label={say("filesTree", { name: nameOf(tree.root) || tree.root })}
            chosen={last}
            unsaved={(one) => drafts.of(thread, one) !== null}
            open={open}
            toggle={filter.trim() || changedOnly ? () => undefined : tree.toggle}
            more={(one) => void tree.more(one, tree.known.get(one)?.entries.length)}
            focused={setFocused}
          />
        ) : (
          <p className="p-4 text-sm text-soft" role="status">
            {say(!failed || searching ? "loading" : changedOnly ? "filesNoChanges" : filter.trim() ? "filesFoundNone" : "filesEmpty")}
          </p>
        )}
      </div>
    </div>
  )
}

/** A value as it was a moment ago, once it has rested. */
function useLater(value: string, ms: number): string {
  const [rested, setRested] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms)
    return () => clearTimeout(timer)
  }, [value, ms])
  return rested
}
