import { Bot, CircleStop, Keyboard, Languages, MessageSquare, Monitor, Moon, SquarePen, Sun } from "lucide-react"
import { Dialog } from "radix-ui"
import { useMemo } from "react"
import { useLanguage, speak } from "../i18n/language"
import { Session } from "../run/session"
import { titleOf } from "../threads/listing"
import { colour, type Theme } from "../theme"
import { NEW } from "../ui/keys"
import { type Option, Options } from "../ui/Options"
import { useFocusBack } from "../ui/useFocusBack"
import { groupsOf, idOf } from "./assistants"
import type { CommandsProps } from "./Commands"
import { PAGES } from "./pages"
import { TABS } from "./tabs"

type Deed = Option & { act: () => void }

const COLOURS: [Theme, typeof Sun][] = [
  ["light", Sun],
  ["dark", Moon],
  ["system", Monitor],
]

/** All that can be done on the page, by a few letters. */
export default function Palette({ put, threads, assistants, open, visit, talkTo, show }: CommandsProps) {
  const { language, say } = useLanguage()
  const focusBack = useFocusBack()
  const groups = useMemo(() => {
    const busy = threads.find((one) => one.thread_id === open)?.status === "busy"
    const deeds: Deed[] = [
      { id: "new", name: say("newThread"), Icon: SquarePen, keys: NEW, act: () => visit("/") },
      ...(busy ? [{ id: "stop", name: say("paletteStop"), Icon: CircleStop, act: () => void new Session(open, () => undefined).stop() }] : []),
      ...(open ? TABS.map(({ id, word, Icon }) => ({ id: `tab ${id}`, name: say("paletteShow", { what: say(word) }), Icon, act: () => show(id) })) : []),
      ...COLOURS.map(([theme, Icon]) => ({ id: `theme ${theme}`, name: `${say("theme")}: ${say(theme)}`, Icon, act: () => colour(theme) })),
      { id: "language", name: `${say("paletteLanguage")}: ${say("language")}`, Icon: Languages, act: () => speak(language === "ru" ? "en" : "ru") },
      { id: "keys", name: say("keysTitle"), Icon: Keyboard, keys: "?", act: () => put("keys") },
    ]
    const pages = Object.entries(PAGES).flatMap(([name, { word, Icon, listed }]): Deed[] =>
      listed ? [{ id: `page ${name}`, name: say(word), Icon, act: () => visit(`/${name}`) }] : [],
    )
    const talks = threads.map(
      (one): Deed => ({ id: one.thread_id, name: titleOf(one) || say("noThread"), Icon: MessageSquare, act: () => visit(`/t/${one.thread_id}`) }),
    )
    const agents = groupsOf(assistants).flatMap(([, list]) =>
      list.map((one): Deed => ({ id: `agent ${idOf(one)}`, name: say("paletteTalk", { name: one.name }), about: one.description ?? "", Icon: Bot, act: () => talkTo(idOf(one)) })),
    )
    return [
      { label: say("paletteDo"), options: deeds },
      { label: say("pages"), options: pages },
      { label: say("menu"), options: talks },
      { label: say("paletteAgents"), options: agents },
    ]
  }, [threads, assistants, open, language, say, put, visit, talkTo, show])

  function choose(id: string) {
    const deed = groups.flatMap(({ options }) => options).find((one) => one.id === id)
    put("")
    deed?.act()
  }

  return (
    <Dialog.Root open onOpenChange={(now) => now || put("")}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          onCloseAutoFocus={focusBack}
          className="fixed top-[max(1rem,12dvh)] left-1/2 z-50 flex max-h-[min(30rem,76dvh)] w-[min(36rem,calc(100vw-1.5rem))] -translate-x-1/2 flex-col overflow-hidden rounded-2xl border border-line bg-raised text-ink shadow-xl"
        >
          <Dialog.Title className="sr-only">{say("paletteOpen")}</Dialog.Title>
          <Options label={say("paletteFind")} groups={groups} choose={choose} search none={say("notFound")} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
