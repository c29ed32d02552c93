import { Check, type LucideIcon } from "lucide-react"
import { useEffect, useId, useMemo, useRef, useState } from "react"
import { ranked } from "./fuzzy"

export interface Option {
  id: string
  name: string
  about?: string | undefined
  /** What it is found by, besides its name. */
  also?: string | undefined
  /** The keys that do the same. */
  keys?: string | undefined
  Icon?: LucideIcon | undefined
  mono?: boolean
}

export interface Options {
  label: string
  options: Option[]
}

interface Props {
  label: string
  groups: Options[]
  value?: string
  choose: (id: string) => void
  /** Whether there is a field to find one by its words. */
  search: boolean
  placeholder?: string
  /** What may be chosen though it is in no group. */
  free?: (typed: string) => Option | null
  none: string
}

const DRAWN = 50 // options of a group

/** A list to choose from by mouse, by arrow keys, or by a few letters. */
export function Options({ label, groups, value = "", choose, search, placeholder, free, none }: Props) {
  const base = useId()
  const [typed, setTyped] = useState("")
  const list = useRef<HTMLDivElement>(null)
  const shown = useMemo(() => {
    const found = groups.map(({ label, options }) => ({
      label,
      options: ranked(typed, options, (one) => `${one.name} ${one.also ?? ""}`).slice(0, DRAWN),
    }))
    const own = typed.trim() ? free?.(typed.trim()) : null
    return [...(own ? [{ label: "", options: [own] }] : []), ...found].filter(({ options }) => options.length)
  }, [groups, typed, free])
  const flat = shown.flatMap(({ options }) => options)
  const [active, setActive] = useState(value)
  const at = Math.max(0, flat.findIndex((one) => one.id === active))
  const reached = flat[at]
  const name = (id: string) => `${base}-${id}`

  useEffect(() => {
    list.current?.querySelector(`[data-active="true"]`)?.scrollIntoView?.({ block: "nearest" })
  }, [reached?.id])

  function moved(event: React.KeyboardEvent) {
    if (event.nativeEvent.isComposing) return
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 }[event.key]
    if (event.key === "Enter" && reached) choose(reached.id)
    else if (to !== undefined) {
      const wrapped = event.key.startsWith("Arrow") ? (to + flat.length) % flat.length : Math.min(flat.length - 1, Math.max(0, to))
      setActive(flat[wrapped]?.id ?? "")
    } else return
    event.preventDefault()
  }

  const keyed = { onKeyDown: moved, "aria-activedescendant": reached ? name(reached.id) : undefined }
  return (
    <>
      {search && (
        <input
          role="combobox"
          autoFocus
          aria-label={label}
          aria-expanded
          aria-controls={base}
          aria-autocomplete="list"
          placeholder={placeholder ?? label}
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value)
            setActive("")
          }}
          {...keyed}
          className="quiet min-h-11 w-full shrink-0 border-b border-line bg-transparent px-3.5 text-sm"
        />
      )}
      <div
        ref={list}
        id={base}
        role="listbox"
        aria-label={label}
        tabIndex={search ? -1 : 0}
        autoFocus={!search}
        {...(search ? {} : keyed)}
        className="quiet min-h-0 flex-1 overflow-y-auto p-1"
      >
        {shown.map((group, place) => (
          <div key={group.label || place} role="group" aria-label={group.label || label}>
            {group.label && (
              <p aria-hidden className="px-2.5 pt-2 pb-1 text-xs font-medium text-soft">
                {group.label}
              </p>
            )}
            {group.options.map((one) => (
              <div
                key={one.id}
                id={name(one.id)}
                role="option"
                aria-selected={one.id === value}
                data-active={one === reached}
                onClick={() => choose(one.id)}
                onPointerMove={() => one === reached || setActive(one.id)}
                className="flex min-h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 py-1.5 text-sm data-[active=true]:bg-line/50 pointer-coarse:min-h-11"
              >
                {one.Icon && <one.Icon size={15} className="shrink-0 text-soft" aria-hidden />}
                <span className="min-w-0 flex-1">
                  <span className={`block truncate ${one.mono ? "font-mono text-[13px]" : ""}`}>{one.name}</span>
                  {one.about && <span className="line-clamp-2 text-xs text-soft">{one.about}</span>}
                </span>
                {one.keys && <kbd className="shrink-0 text-xs text-soft">{one.keys}</kbd>}
                {one.id === value && <Check size={15} className="shrink-0 text-accent" aria-hidden />}
              </div>
            ))}
          </div>
        ))}
      </div>
      {!flat.length && (
        <p role="status" className="px-3.5 pb-4 text-sm text-soft">
          {none}
        </p>
      )}
    </>
  )
}
