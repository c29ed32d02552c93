import { Bot, FolderOpen } from "lucide-react"
import type { Assistant } from "../api/types"
import { useLanguage } from "../i18n/language"

interface TrayProps {
  assistants: Assistant[]
  chosen: string
  choose: (agent: string) => void
  folder: string
  move: (folder: string) => void
  roots: string[]
}

/** Who works, and where. */
export function Tray({ assistants, chosen, choose, folder, move, roots }: TrayProps) {
  const { say } = useLanguage()
  return (
    <>
      <label className="flex min-w-0 shrink-0 items-center gap-1 rounded-lg px-1.5 text-sm text-soft hover:bg-panel" title={say("agent")}>
        <Bot size={15} aria-hidden />
        <span className="sr-only">{say("agent")}</span>
        <select
          value={chosen}
          onChange={(event) => choose(event.target.value)}
          className="quiet min-h-8 max-w-32 min-w-0 cursor-pointer bg-transparent text-ink"
        >
          {assistants.map((one) => (
            <option key={one.assistant_id} value={one.graph_id} title={one.description ?? ""} className="bg-raised">
              {one.name}
            </option>
          ))}
        </select>
      </label>
      <label
        className="flex min-w-0 flex-1 items-center gap-1.5 rounded-lg px-1.5 text-sm text-soft hover:bg-panel sm:max-w-80"
        title={`${say("workspace")}: ${folder}`}
      >
        <FolderOpen size={15} className="shrink-0" aria-hidden />
        <span className="sr-only">{say("workspace")}</span>
        <input
          list="roots"
          value={folder}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => move(event.target.value)}
          className="quiet min-h-8 w-full min-w-0 bg-transparent font-mono text-[13px] text-ellipsis text-ink"
        />
        <datalist id="roots">
          {roots.map((root) => (
            <option key={root} value={root} />
          ))}
        </datalist>
      </label>
    </>
  )
}
