import { Languages, Menu, Monitor, Moon, PanelRight, Sun, TriangleAlert, Workflow } from "lucide-react"
import { useSyncExternalStore } from "react"
import type { Info } from "../api/types"
import { speak, useLanguage } from "../i18n/language"
import { colour, type Theme, theme, watch } from "../theme"
import { Button } from "../ui/Button"
import { Link } from "./Link"

interface Props {
  title: string
  info: Info | null
  drawer: boolean
  openDrawer: () => void
  /** Missing: there is nothing beside what is open. */
  panel?: { open: boolean; toggle: () => void } | undefined
  /** Where the graph is drawn that works here. */
  graph?: string | undefined
}

/** The line over everything: where one is, which model answers, how the page looks and speaks. */
export function Header({ title, info, drawer, openDrawer, panel, graph }: Props) {
  const { language, say } = useLanguage()
  return (
    <header className="flex min-h-13 items-center gap-1 border-b border-line px-2 sm:px-3">
      <Button
        look="bare"
        className="md:hidden"
        aria-label={say("menu")}
        aria-expanded={drawer}
        aria-controls="conversations"
        onClick={openDrawer}
      >
        <Menu size={18} aria-hidden />
      </Button>
      <h1 className="mr-auto min-w-0 truncate px-1 font-semibold">{title}</h1>
      {info?.model && <Model model={info.model} off={info.off} />}
      <ThemeButton />
      <Button
        look="bare"
        aria-label={say("language")}
        title={say("language")}
        lang={language === "ru" ? "en" : "ru"}
        onClick={() => speak(language === "ru" ? "en" : "ru")}
      >
        <Languages size={18} aria-hidden />
      </Button>
      {graph && (
        <Link
          href={graph}
          aria-label={say("graphShow")}
          title={say("graphShow")}
          className="hidden min-h-9 items-center rounded-lg px-3 text-soft hover:bg-panel hover:text-ink sm:inline-flex pointer-coarse:min-h-11"
        >
          <Workflow size={18} aria-hidden />
        </Link>
      )}
      {panel && (
        <Button
          look="bare"
          aria-label={say("panel")}
          title={say("panel")}
          aria-expanded={panel.open}
          aria-controls="panel"
          onClick={panel.toggle}
        >
          <PanelRight size={18} aria-hidden />
        </Button>
      )}
    </header>
  )
}

/** Which model answers; one of fixed rules is plainly called that. */
function Model({ model, off }: { model: NonNullable<Info["model"]>; off: string[] }) {
  const { say } = useLanguage()
  const words = model.offline ? say("offline") : model.label
  return (
    <span
      data-testid="model"
      title={[words, ...off].join("\n")}
      className={`shrink-0 items-center gap-1.5 rounded-full px-2.5 py-1 text-xs ${model.offline ? "flex bg-warn-bg text-warn" : "hidden bg-panel text-soft sm:flex"}`}
    >
      {model.offline && <TriangleAlert size={13} className="shrink-0" aria-hidden />}
      <span className="hidden max-w-96 truncate lg:inline">{words}</span>
      <span className="max-w-32 truncate lg:hidden">{model.offline ? say("offlineShort") : model.label}</span>
    </span>
  )
}

const FACES: Record<Theme, typeof Sun> = { system: Monitor, light: Sun, dark: Moon }
const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" }

function ThemeButton() {
  const { say } = useLanguage()
  const now = useSyncExternalStore(watch, theme)
  const Face = FACES[now]
  const label = `${say("theme")}: ${say(now)}`
  return (
    <Button
      look="bare"
      aria-label={label}
      title={label}
      onClick={() => colour(NEXT[now])}
    >
      <Face size={18} aria-hidden />
    </Button>
  )
}
