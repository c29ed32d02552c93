import { FolderTree, History, ListChecks, type LucideIcon } from "lucide-react"
import { type ComponentType, lazy, type LazyExoticComponent } from "react"
import type { Key } from "../i18n/catalogue"
import type { Session, Snapshot } from "../run/session"

/** A line of a file that somebody asked to see; another `wish` asks again. */
export interface Wanted {
  path: string
  line: number
  wish: number
}

export interface TabProps {
  thread: string
  assistant: string
  workspace: string
  session: Session
  now: Snapshot
  wanted: Wanted | null
}

export interface Tab {
  id: string
  word: Key
  Icon: LucideIcon
  Body: LazyExoticComponent<ComponentType<TabProps>>
}

/** What can stand beside a conversation; each is fetched when it is first opened. */
export const TABS: readonly Tab[] = [
  { id: "plan", word: "tabPlan", Icon: ListChecks, Body: lazy(() => import("../plan/PlanTab")) },
  { id: "files", word: "tabFiles", Icon: FolderTree, Body: lazy(() => import("../files/FilesTab")) },
  { id: "history", word: "tabHistory", Icon: History, Body: lazy(() => import("../history/HistoryTab")) },
]
