import { Columns2, Maximize2, Rows2, X } from "lucide-react"
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react"
import { useLanguage } from "../i18n/language"
import { Button } from "./Button"
import { DiffRows, type Pick } from "./DiffRows"
import { lines, placed, sides } from "./unified"

interface Props {
  diff: string
  label: string
  /** What stands at its head in place of the path and the counts. */
  head?: React.ReactNode
  pick?: Pick | undefined
}

/** A change, in one column or two, with line numbers; it opens to the whole window. */
export function Diff({ diff, label, head, pick }: Props) {
  const { say } = useLanguage()
  const [layout, wide] = useLayout()
  const [whole, setWhole] = useState(false)
  const all = useMemo(() => placed(lines(diff)), [diff])
  const rows = useMemo(() => (layout === "split" ? sides(all) : all), [all, layout])
  const Other = layout === "split" ? Rows2 : Columns2
  const tools = (
    <span className="ml-auto flex shrink-0">
      {wide && (
        <Icon name={say(layout === "split" ? "diffUnified" : "diffSplit")} act={() => keep(layout === "split" ? "unified" : "split")}>
          <Other size={15} aria-hidden />
        </Icon>
      )}
      {!whole && (
        <Icon name={say("diffWhole", { path: label })} act={() => setWhole(true)}>
          <Maximize2 size={14} aria-hidden />
        </Icon>
      )}
    </span>
  )
  const title = head ?? <Title path={label} diff={diff} />
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-page">
      <div className="flex min-h-9 items-center gap-2 border-b border-line bg-panel pr-1 pl-3 text-sm">
        {title}
        {tools}
      </div>
      <DiffRows rows={rows} label={label} pick={pick} className="max-h-[min(24rem,45dvh)]" />
      {whole && (
        <Whole label={label} title={title} tools={tools} close={() => setWhole(false)}>
          <DiffRows rows={rows} label={label} pick={pick} className="min-h-0 flex-1" />
        </Whole>
      )}
    </div>
  )
}

/** A path, and how many lines come and go. */
export function Title({ path, diff }: { path: string; diff: string }) {
  const { say } = useLanguage()
  const [added, removed] = useMemo(() => {
    const all = lines(diff)
    return [all.filter((line) => line.kind === "add").length, all.filter((line) => line.kind === "del").length]
  }, [diff])
  return (
    <>
      <span className="min-w-0 truncate font-mono text-[13px]" title={path}>
        {path}
      </span>
      <span className="sr-only">{say("changed", { added, removed })}</span>
      <span className="shrink-0 font-mono text-[13px]" aria-hidden>
        <span className="text-good">+{added}</span> <span className="text-bad">−{removed}</span>
      </span>
    </>
  )
}

function Icon({ name, act, children }: { name: string; act: () => void; children: React.ReactNode }) {
  return (
    <Button look="bare" className="size-8 !min-h-8 !p-0 pointer-coarse:size-11" aria-label={name} title={name} onClick={act}>
      {children}
    </Button>
  )
}

interface WholeProps {
  label: string
  title: React.ReactNode
  tools: React.ReactNode
  close: () => void
  children: React.ReactNode
}

function Whole({ label, title, tools, close, children }: WholeProps) {
  const { say } = useLanguage()
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog
      ref={dialog}
      onClose={close}
      onKeyDown={(event) => event.stopPropagation()}
      aria-label={label}
      className="fixed inset-0 m-auto h-[calc(100dvh-1rem)] max-h-none w-[calc(100vw-1rem)] max-w-none overflow-hidden rounded-xl border border-line bg-page text-ink shadow-xl backdrop:bg-black/40"
    >
      <div className="flex h-full flex-col">
        <div className="flex min-h-11 items-center gap-2 border-b border-line bg-panel pr-1 pl-4 text-sm">
          {title}
          {tools}
          <Icon name={say("diffClose")} act={() => dialog.current?.close()}>
            <X size={16} aria-hidden />
          </Icon>
        </div>
        {children}
      </div>
    </dialog>
  )
}

type Layout = "unified" | "split"
const KEPT = "artel.diff"
const listeners = new Set<() => void>()

function keep(layout: Layout): void {
  localStorage.setItem(KEPT, layout)
  for (const listener of listeners) listener()
}

/** How changes are shown: as the person chose last, on a phone in one column; and whether there is a choice. */
function useLayout(): [Layout, boolean] {
  const kept = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => localStorage.getItem(KEPT),
  )
  const wide = useSyncExternalStore(
    (listener) => {
      const query = window.matchMedia(WIDE)
      query.addEventListener("change", listener)
      return () => query.removeEventListener("change", listener)
    },
    () => window.matchMedia(WIDE).matches,
  )
  return [wide && kept === "split" ? "split" : "unified", wide]
}
const WIDE = "(min-width: 640px)"
