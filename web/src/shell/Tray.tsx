import { Bot, Boxes, FolderClock, FolderOpen, FolderRoot, FolderSearch, Workflow } from "lucide-react"
import { useCallback, useMemo, useState } from "react"
import type { Assistant } from "../api/types"
import * as workspaces from "../api/workspaces"
import { useLanguage } from "../i18n/language"
import { Chooser } from "../ui/Chooser"
import type { Options } from "../ui/Options"
import { groupsOf, idOf } from "./assistants"
import { recent, remember, short } from "./folders"
import { Link } from "./Link"

interface TrayProps {
  assistants: Assistant[]
  chosen: string
  choose: (agent: string) => void
  folder: string
  move: (folder: string) => void
  roots: string[]
}

const MANY = 8 // agents that are seen at a glance

/** Who works, and where. */
export function Tray({ assistants, chosen, choose, folder, move, roots }: TrayProps) {
  return (
    <>
      <AgentPicker assistants={assistants} chosen={chosen} choose={choose} />
      {roots.length > 0 && <FolderPicker folder={folder} move={move} roots={roots} />}
    </>
  )
}

function AgentPicker({ assistants, chosen, choose }: Pick<TrayProps, "assistants" | "chosen" | "choose">) {
  const { say } = useLanguage()
  const current = assistants.find((one) => idOf(one) === chosen) ?? assistants.find((one) => one.graph_id === chosen)
  const groups = useMemo(
    () =>
      groupsOf(assistants).map(([kind, list]) => ({
        label: say(kind),
        options: list.map((one) => ({ id: idOf(one), name: one.name, about: one.description ?? "", also: one.graph_id })),
      })),
    [assistants, say],
  )
  return (
    <Chooser
      Icon={Bot}
      label={say("agent")}
      shown={current?.name ?? (chosen || say("agentsNone"))}
      title={[say("agent"), current?.description].filter(Boolean).join(": ")}
      groups={groups}
      value={current ? idOf(current) : chosen}
      choose={choose}
      search={assistants.length > MANY}
      placeholder={say("agentsFind")}
      none={say("notFound")}
      foot={(close) =>
        current && (
          <Link
            href={`/graph/${current.assistant_id}`}
            onClick={close}
            className="flex min-h-10 items-center gap-2 border-t border-line px-3.5 text-sm text-soft hover:text-ink pointer-coarse:min-h-11"
          >
            <Workflow size={15} aria-hidden /> {say("agentsGraph", { name: current.name })}
          </Link>
        )
      }
    />
  )
}

function FolderPicker({ folder, move, roots }: Pick<TrayProps, "folder" | "move" | "roots">) {
  const { say } = useLanguage()
  const [names, setNames] = useState<workspaces.Workspace[]>([])
  const [lately, setLately] = useState<string[]>([])
  const named = useMemo(() => new Set(names.map((one) => one.name)), [names])
  const groups = useMemo((): Options[] => {
    const known = new Set(roots)
    const paths = lately.filter((one) => one.startsWith("/") && !known.has(one))
    const option = (path: string, Icon: typeof FolderRoot) => ({ id: path, name: short(path), about: path, also: path, Icon, mono: true })
    return [
      { label: say("foldersNamed"), options: names.map((one) => ({ id: one.name, name: one.name, about: `${say(`foldersMode_${one.mode}`)}: ${one.source}`, Icon: Boxes })) },
      { label: say("foldersRecent"), options: paths.map((path) => option(path, FolderClock)) },
      { label: say("foldersRoots"), options: roots.map((path) => option(path, FolderRoot)) },
    ]
  }, [names, lately, roots, say])
  const free = useCallback(
    (typed: string) =>
      typed.startsWith("/") && !roots.includes(typed) && !lately.includes(typed)
        ? { id: typed, name: typed, about: say("foldersUse"), Icon: FolderSearch, mono: true }
        : null,
    [roots, lately, say],
  )
  return (
    <Chooser
      Icon={FolderOpen}
      label={say("workspace")}
      shown={short(folder)}
      title={`${say("workspace")}: ${folder}`}
      mono
      groups={groups}
      value={folder}
      opened={() => {
        setLately(recent())
        workspaces.named().then(setNames, () => undefined)
      }}
      choose={async (chosen) => {
        const path = named.has(chosen) ? chosen : (await workspaces.folder(chosen)).path
        remember(path)
        move(path)
      }}
      search
      placeholder={say("foldersFind")}
      free={free}
      none={say("foldersNone")}
    />
  )
}
