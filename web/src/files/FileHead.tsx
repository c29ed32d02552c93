import { ArrowLeft, Download, Eye, FileDiff, Maximize2, Minimize2, Pencil, Save, Text } from "lucide-react"
import type { ChangedFile } from "../api/files"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import { nameOf, parentOf } from "./tree"

export type Face = "text" | "preview" | "changes"

interface Props {
  path: string
  mark: ChangedFile["kind"] | ""
  face: Face
  faces: Face[]
  show: (face: Face) => void
  /** Whether it may be edited, is being edited, and was. */
  edit: { may: boolean; on: boolean; dirty: boolean; saving: boolean; begin: () => void; save: () => void }
  large: boolean
  enlarge: () => void
  downloadUrl: string
  back: () => void
}

const ICONS = { text: Text, preview: Eye, changes: FileDiff }
const NAMES = { text: "filesShowText", preview: "filesMarkdown", changes: "filesShowChanges" } as const
const SQUARE = "w-9 px-0! pointer-coarse:w-11"

/** The name of a file, and what can be done with it. */
export function FileHead({ path, mark, face, faces, show, edit, large, enlarge, downloadUrl, back }: Props) {
  const { say } = useLanguage()
  return (
    <div className="border-b border-line px-1.5 py-1">
      <div className="flex items-center gap-1">
        <Button look="bare" className={SQUARE} aria-label={say("filesBack")} title={say("filesBack")} onClick={back} autoFocus>
          <ArrowLeft size={16} aria-hidden />
        </Button>
        <h2 className="flex min-w-0 flex-1 items-baseline gap-1.5 text-sm" title={path}>
          <span className="truncate font-medium">{nameOf(path)}</span>
          <span className="min-w-0 flex-1 truncate text-soft [direction:rtl] text-left max-sm:hidden">
            <bdi>{parentOf(path)}</bdi>
          </span>
          {mark && <span className="shrink-0 rounded-md bg-panel px-1.5 text-xs text-soft">{say(`filesMark_${mark}`)}</span>}
          {edit.dirty && <span className="shrink-0 rounded-md bg-warn-bg px-1.5 text-xs text-warn">{say("filesUnsaved")}</span>}
        </h2>
        <a
          href={downloadUrl}
          download
          aria-label={say("filesDownload")}
          title={say("filesDownload")}
          className="inline-flex min-h-9 w-9 items-center justify-center rounded-lg text-soft hover:bg-panel hover:text-ink pointer-coarse:min-h-11 pointer-coarse:w-11"
        >
          <Download size={16} aria-hidden />
        </a>
        <Button
          look="bare"
          className={SQUARE}
          aria-label={say(large ? "filesShrink" : "filesExpand")}
          title={say(large ? "filesShrink" : "filesExpand")}
          onClick={enlarge}
        >
          {large ? <Minimize2 size={16} aria-hidden /> : <Maximize2 size={16} aria-hidden />}
        </Button>
      </div>
      {(faces.length > 1 || edit.may) && (
        <div className="flex flex-wrap items-center gap-1 pl-1">
          {faces.length > 1 && (
            <div className="flex rounded-lg bg-panel p-0.5" role="group" aria-label={nameOf(path)}>
              {faces.map((one) => {
                const Icon = ICONS[one]
                return (
                  <button
                    key={one}
                    type="button"
                    aria-pressed={face === one}
                    onClick={() => show(one)}
                    className="inline-flex min-h-8 items-center gap-1.5 rounded-md px-2.5 text-sm text-soft hover:text-ink aria-pressed:bg-raised aria-pressed:text-ink aria-pressed:shadow-sm pointer-coarse:min-h-11"
                  >
                    <Icon size={14} aria-hidden /> {say(NAMES[one])}
                  </button>
                )
              })}
            </div>
          )}
          <span className="flex-1" />
          {edit.may && !edit.on && (
            <Button look="bare" onClick={edit.begin}>
              <Pencil size={14} aria-hidden /> {say("edit")}
            </Button>
          )}
          {edit.on && (
            <Button look={edit.dirty ? "main" : "plain"} disabled={!edit.dirty || edit.saving} onClick={edit.save}>
              <Save size={14} aria-hidden /> {say(edit.saving ? "filesSaving" : "save")}
            </Button>
          )}
        </div>
      )}
    </div>
  )
}
