import { lazy, Suspense, useState } from "react"
import { files } from "../api/files"
import { tag, useLanguage } from "../i18n/language"
import { Markdown } from "../ui/Markdown"
import { ClashNote } from "./ClashNote"
import { type Face, FileHead } from "./FileHead"
import { faceOf, sizeOf } from "./kinds"
import { phrasesOf } from "./phrases"
import { Picture } from "./Picture"
import { Since } from "./Since"
import type { Marks } from "./tree"
import { useFile } from "./useFile"

const Editor = lazy(() => import("./Editor"))
const Compare = lazy(() => import("./Compare"))

interface Props {
  thread: string
  path: string
  line: number
  /** Another one shows the line again. */
  wish: number
  marks: Marks
  /** Another one: look at the file again. */
  turn: string
  back: () => void
  /** A file was written or given back. */
  changed: () => void
}

/** One file: its text, a picture or a preview, what became of it; and an editor for it. */
export function FileView({ thread, path, line, wish, marks, turn, back, changed }: Props) {
  const { say, language } = useLanguage()
  const one = useFile(thread, path, turn)
  const kind = faceOf(path)
  const [face, setFace] = useState<Face>(() => (marks.get(path) === "deleted" ? "changes" : "text"))
  const [editing, setEditing] = useState(() => one.draft !== null)
  const [large, setLarge] = useState(false)
  const [comparing, setComparing] = useState(false)
  const name = one.file?.path ?? path
  const mark = marks.get(name) ?? ""
  const now = one.draft?.text ?? one.text ?? ""
  const isText = kind !== "picture" && (one.text !== null || one.draft !== null)
  const faces: Face[] = ["text"]
  if (isText && (kind === "markdown" || kind === "drawing")) faces.push("preview")
  if (mark && kind !== "picture") faces.push("changes")
  const shown = faces.includes(face) ? face : "text"

  const save = async (over = false) => {
    await one.save(over)
    changed()
  }
  // Escape belongs to what is open here, not to what stands around it.
  const escape = (event: React.KeyboardEvent) => {
    if (event.key !== "Escape" || !(editing || large)) return
    event.nativeEvent.stopImmediatePropagation()
    if (!event.defaultPrevented) setLarge(false)
  }

  const loading = <p className="p-4 text-sm text-soft">{say("loading")}</p>
  return (
    <section
      aria-label={name}
      onKeyDown={escape}
      className={large ? "fixed inset-0 z-40 flex flex-col bg-page" : "flex h-full min-h-0 flex-col"}
    >
      <FileHead
        path={name}
        mark={mark}
        face={shown}
        faces={faces}
        show={setFace}
        edit={{
          may: shown === "text" && isText && (one.file?.editable ?? one.draft !== null),
          on: shown === "text" && editing,
          dirty: one.draft !== null,
          saving: one.saving,
          begin: () => setEditing(true),
          save: () => void save(),
        }}
        large={large}
        enlarge={() => setLarge(!large)}
        downloadUrl={files.downloadUrl(thread, path)}
        back={back}
      />
      {one.clash && (
        <ClashNote
          gone={one.state === "gone"}
          comparing={comparing}
          compare={() => setComparing(!comparing)}
          take={() => {
            one.discard()
            setComparing(false)
          }}
          overwrite={() => {
            setComparing(false)
            void save(true)
          }}
        />
      )}
      <div role="status" className="px-3 text-sm empty:hidden">
        {one.notes.saved && <p className="py-1 text-good">{say("filesSaved")}</p>}
        {one.notes.problems.map((problem) => (
          <p key={problem} className="py-1 text-warn">
            {problem}
          </p>
        ))}
      </div>
      {one.state === "failed" && kind !== "picture" && (
        <p role="alert" className="px-3 py-2 text-sm text-bad">
          {one.problem}
        </p>
      )}
      <div className="min-h-0 flex-1 overflow-auto">
        <Suspense fallback={loading}>
          {kind === "picture" ? (
            <Picture thread={thread} path={path} turn={turn} />
          ) : shown === "changes" && (one.state === "ready" || one.state === "gone") ? (
            <Since thread={thread} path={name} text={one.text ?? ""} split={large && window.innerWidth >= 1024} turn={`${turn} ${one.file?.sha256 ?? ""}`} undone={changed} />
          ) : one.clash && comparing ? (
            <Compare
              path={name}
              before={one.text ?? ""}
              after={now}
              split={large && window.innerWidth >= 1024}
              labels={{ before: say("filesTheirs", { path: name }), after: say("filesMine", { path: name }) }}
            />
          ) : one.state === "loading" ? (
            loading
          ) : !isText ? (
            one.file ? (
              <p className="p-4 text-sm text-soft">{say("filesBinary", { size: sizeOf(one.file.size, tag(language)) })}</p>
            ) : (
              one.state === "gone" && <p className="p-4 text-sm text-soft">{mark === "deleted" ? say("filesGone") : one.problem}</p>
            )
          ) : shown === "preview" ? (
            kind === "drawing" ? (
              <Picture thread={thread} path={path} turn={turn} />
            ) : (
              <div className="px-4 py-3">
                <Markdown text={now} open={false} />
              </div>
            )
          ) : (
            <Editor
              path={name}
              text={now}
              editing={editing}
              line={line}
              wish={wish}
              label={say("filesTextOf", { path: name })}
              phrases={phrasesOf(say)}
              change={one.change}
              save={() => void save()}
            />
          )}
        </Suspense>
      </div>
    </section>
  )
}
