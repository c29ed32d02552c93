import type { ChangedFile } from "../api/types"
import { useLanguage } from "../i18n/language"
import { Diff, Title } from "../ui/Diff"

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
        return (
          <li key={file.path} data-testid="file">
            <Diff
              diff={file.diff}
              label={file.path}
              head={
                <label className="flex min-h-9 min-w-0 items-center gap-2 pointer-coarse:min-h-11">
                  <input
                    type="checkbox"
                    className="size-4 shrink-0 accent-accent"
                    checked={taken === ids.length}
                    ref={(box) => {
                      if (box) box.indeterminate = taken > 0 && taken < ids.length
                    }}
                    onChange={(event) => choose(ids, event.target.checked)}
                  />
                  <Title path={file.path} diff={file.diff} />
                </label>
              }
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
