import { Activity, Brain, Cpu, Info, KeyRound, type LucideIcon, Plug, ShieldCheck, SlidersHorizontal } from "lucide-react"
import type { ComponentType } from "react"
import type { Key } from "../i18n/catalogue"
import { useLanguage } from "../i18n/language"
import type { PageProps } from "../shell/pages"
import { About } from "./About"
import { General } from "./General"
import { Keys } from "./Keys"
import { Memories } from "./Memories"
import { Models } from "./Models"
import { Permissions } from "./Permissions"
import { Tools } from "./Tools"
import { Usage } from "./Usage"

const SECTIONS: Record<string, { word: Key; Icon: LucideIcon; Body: ComponentType }> = {
  general: { word: "setGeneral", Icon: SlidersHorizontal, Body: General },
  models: { word: "setModels", Icon: Cpu, Body: Models },
  keys: { word: "setKeys", Icon: KeyRound, Body: Keys },
  permissions: { word: "setPermissions", Icon: ShieldCheck, Body: Permissions },
  memories: { word: "setMemories", Icon: Brain, Body: Memories },
  tools: { word: "setTools", Icon: Plug, Body: Tools },
  usage: { word: "setUsage", Icon: Activity, Body: Usage },
  about: { word: "setAbout", Icon: Info, Body: About },
}
const FIRST = "general"

/** Settings, a section at an address. */
export default function SettingsPage({ route }: PageProps<"settings">) {
  const { say } = useLanguage()
  const open = route.section in SECTIONS ? route.section : FIRST
  const Body = SECTIONS[open]?.Body ?? General
  return (
    <div className="flex min-h-0 flex-1 flex-col md:flex-row">
      <nav aria-label={say("settings")} className="shrink-0 border-b border-line p-2 md:w-52 md:border-r md:border-b-0 md:p-3">
        <ul className="flex flex-wrap gap-0.5 md:flex-col">
          {Object.entries(SECTIONS).map(([name, { word, Icon }]) => (
            <li key={name}>
              <a
                href={`/settings/${name}`}
                aria-current={name === open ? "page" : undefined}
                className={`flex min-h-9 items-center gap-2 rounded-lg px-2.5 text-sm pointer-coarse:min-h-11 ${name === open ? "bg-accent/12" : "hover:bg-panel"}`}
              >
                <Icon size={15} className="hidden shrink-0 text-soft md:block" aria-hidden /> {say(word)}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div tabIndex={0} className="min-h-0 flex-1 overflow-y-auto -outline-offset-2">
        <div key={open} className="mx-auto max-w-3xl space-y-8 px-4 py-6 sm:px-6">
          <h2 className="text-xl font-semibold tracking-tight">{say(SECTIONS[open]?.word ?? "setGeneral")}</h2>
          <Body />
        </div>
      </div>
    </div>
  )
}
