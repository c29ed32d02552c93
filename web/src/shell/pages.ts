import { Inbox, type LucideIcon, Settings, Workflow } from "lucide-react"
import { type ComponentType, lazy, type LazyExoticComponent } from "react"
import type { Key } from "../i18n/catalogue"
import type { Route } from "./route"

export interface PageProps<Name extends Route["page"] = Route["page"]> {
  route: Extract<Route, { page: Name }>
}

interface Page {
  word: Key
  Icon: LucideIcon
  /** Whether the way to it stands beside the conversations. */
  listed: boolean
  Body: LazyExoticComponent<ComponentType<{ route: Route }>>
}

const page = (load: () => Promise<{ default: ComponentType<never> }>) =>
  lazy(load as () => Promise<{ default: ComponentType<{ route: Route }> }>)

/** Every page but the conversation; each is fetched when it is first opened. */
export const PAGES: Record<Exclude<Route["page"], "chat">, Page> = {
  inbox: { word: "inbox", Icon: Inbox, listed: true, Body: page(() => import("./Inbox")) },
  graph: { word: "graph", Icon: Workflow, listed: true, Body: page(() => import("../graph/GraphPage")) },
  settings: { word: "settings", Icon: Settings, listed: true, Body: page(() => import("../settings/SettingsPage")) },
}
