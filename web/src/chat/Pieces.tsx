import { LoaderCircle, Paperclip, RotateCcw, TriangleAlert, X } from "lucide-react"
import { useLanguage } from "../i18n/language"
import { sized } from "../ui/sized"
import type { Piece } from "./useAttachments"

interface Props {
  pieces: Piece[]
  remove: (key: string) => void
  retry: (key: string) => void
}

const ACT = "grid size-7 shrink-0 place-items-center rounded-md text-soft hover:bg-line/50 hover:text-ink pointer-coarse:size-11"

/** The files that go with what is being written. */
export function Pieces({ pieces, remove, retry }: Props) {
  const { language, say } = useLanguage()
  if (!pieces.length) return null
  return (
    <ul aria-label={say("composerAttached")} className="flex flex-wrap gap-1.5 px-3 pt-3">
      {pieces.map((one) => {
        const bad = one.state === "failed" || one.state === "lost"
        const problem = one.state === "lost" ? say("composerLost") : one.problem
        const Icon = bad ? TriangleAlert : one.state === "going" ? LoaderCircle : Paperclip
        return (
          <li
            key={one.key}
            data-state={one.state}
            className={`relative flex max-w-full items-center gap-1.5 overflow-hidden rounded-lg border pl-2.5 text-xs ${bad ? "border-bad/40 bg-bad-bg text-bad" : "border-line bg-panel"}`}
          >
            <Icon size={13} className={`shrink-0 ${one.state === "going" ? "turns" : ""} ${bad ? "" : "text-soft"}`} aria-hidden />
            <span className="min-w-0">
              <span className="flex gap-1.5">
                <span className="max-w-48 truncate" title={one.path || one.name}>
                  {one.name}
                </span>
                <span className={bad ? "shrink-0" : "shrink-0 text-soft"}>{sized(one.bytes, language)}</span>
              </span>
              {problem && (
                <span role="alert" className="block max-w-72 pb-1 [overflow-wrap:anywhere]">
                  {problem}
                </span>
              )}
            </span>
            {one.state === "failed" && (
              <button type="button" className={ACT} aria-label={`${say("retry")}: ${one.name}`} title={say("retry")} onClick={() => retry(one.key)}>
                <RotateCcw size={13} aria-hidden />
              </button>
            )}
            <button
              type="button"
              className={ACT}
              aria-label={say("composerDetach", { name: one.name })}
              title={say("composerDetach", { name: one.name })}
              onClick={() => remove(one.key)}
            >
              <X size={13} aria-hidden />
            </button>
            {one.state === "going" && (
              <progress aria-label={say("composerSending", { name: one.name })} value={one.part} className="going absolute inset-x-0 bottom-0 h-0.5 w-full" />
            )}
          </li>
        )
      })}
    </ul>
  )
}
