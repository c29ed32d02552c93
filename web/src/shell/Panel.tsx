import { X } from "lucide-react"
import { Tabs } from "radix-ui"
import { useEffect } from "react"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"
import type { Tab } from "./tabs"

interface Props {
  tabs: readonly Tab[]
  tab: string
  show: (tab: string) => void
  children: React.ReactNode
}

/** What stands beside a conversation: a column where there is room, else a sheet over it from below. */
export function Panel({ tabs, tab, show, children }: Props) {
  const { say } = useLanguage()
  useEffect(() => {
    const close = (event: KeyboardEvent) => event.key === "Escape" && !event.defaultPrevented && window.innerWidth < 1024 && show("")
    window.addEventListener("keydown", close)
    return () => window.removeEventListener("keydown", close)
  }, [show])
  return (
    <>
      <div className="fixed inset-0 z-20 bg-black/40 lg:hidden" onClick={() => show("")} aria-hidden />
      <Tabs.Root
        value={tab}
        onValueChange={show}
        asChild
        className="fixed inset-x-0 bottom-0 z-30 flex h-[80dvh] flex-col rounded-t-2xl border-t border-line bg-page shadow-xl lg:static lg:h-auto lg:w-[clamp(360px,36vw,640px)] lg:shrink-0 lg:rounded-none lg:border-t-0 lg:border-l lg:shadow-none"
      >
        <section id="panel" aria-label={say("panel")}>
          <div className="flex items-center gap-1 border-b border-line px-2">
            <Tabs.List aria-label={say("panel")} className="flex min-w-0 flex-1 overflow-x-auto">
              {tabs.map(({ id, word, Icon }) => (
                <Tabs.Trigger
                  key={id}
                  value={id}
                  className="flex min-h-11 shrink-0 items-center gap-1.5 border-b-2 border-transparent px-3 text-sm text-soft hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink"
                >
                  <Icon size={15} aria-hidden /> {say(word)}
                </Tabs.Trigger>
              ))}
            </Tabs.List>
            <Button look="bare" aria-label={say("closePanel")} title={say("closePanel")} onClick={() => show("")}>
              <X size={16} aria-hidden />
            </Button>
          </div>
          <Tabs.Content value={tab} className="min-h-0 flex-1 overflow-auto">
            {children}
          </Tabs.Content>
        </section>
      </Tabs.Root>
    </>
  )
}
