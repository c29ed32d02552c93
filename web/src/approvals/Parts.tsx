import type { ChangedFile } from "../api/types"
import { useLanguage } from "../i18n/language"
import { count, Diff } from "../ui/Diff"

/** The ids of all parts of a change, each once: the two sides of a move share one. */
export function partsOf(files: ChangedFile[]): string[] {
  return [...new Set(files.flatMap((file) => file.hunks.map((hunk) => hunk.id)))]
}

interface Props {
  files: ChangedFile[]
  chosen: ReadonlySet<string>
  choose: (ids: string[], wanted: boolean) => void
}

/** The files of a change, and of each the parts that a person may take or leave. */
export function Parts({ files, chosen, choose }: Props) {
  const { say } = useLanguage()
  return (
    <ul className="space-y-3" aria-label={say("parts")}>
      {files.map((file) => {
        const ids = file.hunks.map((hunk) => hunk.id)
        const taken = ids.filter((id) => chosen.has(id)).length
        const size = count(file.diff)
        return (
          <li key={file.path} data-testid="file">
            <label className="mb-1 flex min-h-9 items-center gap-2 pointer-coarse:min-h-11">
              <input
                type="checkbox"
                className="size-4 shrink-0 accent-accent"
                checked={taken === ids.length}
                ref={(box) => {
                  if (box) box.indeterminate = taken > 0 && taken < ids.length
                }}
                onChange={(event) => choose(ids, event.target.checked)}
              />
              <span className="min-w-0 truncate font-mono text-[13px]">{file.path}</span>
              <span className="sr-only">{say("changed", size)}</span>
              <span className="ml-auto flex gap-2 font-mono text-[13px]" aria-hidden>
                <span className="text-good">+{size.added}</span>
                <span className="text-bad">−{size.removed}</span>
              </span>
            </label>
            <Diff
              diff={file.diff}
              label={file.path}
              more={(n) => say("showAll", { n })}
              pick={
                ids.length > 1
                  ? {
                      parts: ids.map((id) => ({ id, taken: chosen.has(id) })),
                      choose: (id, wanted) => choose([id], wanted),
                      label: (part) => say("take", { part }),
                    }
                  : undefined
              }
            />
          </li>
        )
      })}
    </ul>
  )
}
