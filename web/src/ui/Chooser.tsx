import { ChevronDown, type LucideIcon } from "lucide-react"
import { lazy, Suspense, useRef, useState } from "react"
import type { Options } from "./Options"

const Choices = lazy(() => import("./Choices"))

export interface ChooserProps extends Omit<React.ComponentProps<typeof Options>, "choose"> {
  Icon: LucideIcon
  /** What is chosen, in short, and in full. */
  shown: string
  title: string
  mono?: boolean
  /** A choice may be refused, with a sentence. */
  choose: (id: string) => void | Promise<void>
  opened?: () => void
  /** What stands below the list; `close` shuts it. */
  foot?: (close: () => void) => React.ReactNode
}

/** A button that says what is chosen, and opens a list to choose from. */
export function Chooser(props: ChooserProps) {
  const { Icon, shown, title, mono = false, opened, label } = props
  const [open, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  return (
    <>
      <button
        ref={button}
        type="button"
        title={title}
        aria-label={`${label}: ${shown}`}
        aria-haspopup="dialog"
        aria-expanded={open}
        onPointerEnter={() => void import("./Choices")}
        onClick={() => {
          if (!open) opened?.()
          setOpen(!open)
        }}
        className="flex min-h-9 min-w-0 items-center gap-1.5 rounded-lg px-2 text-sm text-soft hover:bg-panel aria-expanded:bg-panel pointer-coarse:min-h-11"
      >
        <Icon size={15} className="shrink-0" aria-hidden />
        <span className={`truncate text-ink ${mono ? "font-mono text-[13px]" : ""}`}>{shown}</span>
        <ChevronDown size={13} className="shrink-0 max-sm:hidden" aria-hidden />
      </button>
      <Suspense>{open && <Choices {...props} button={button} close={() => setOpen(false)} />}</Suspense>
    </>
  )
}
