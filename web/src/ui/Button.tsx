import type { ButtonHTMLAttributes, Ref } from "react"

const LOOKS = {
  plain: "border border-line bg-raised hover:bg-panel",
  main: "bg-accent text-on-accent font-medium hover:brightness-110",
  bad: "border border-line bg-raised text-bad hover:bg-bad-bg",
  bare: "hover:bg-panel text-soft hover:text-ink",
}

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: keyof typeof LOOKS
  ref?: Ref<HTMLButtonElement>
}

/** A button; icon-only ones need an `aria-label`. */
export function Button({ look = "plain", className = "", ...rest }: Props) {
  const shape = "inline-flex min-h-9 pointer-coarse:min-h-11 items-center justify-center gap-1.5 rounded-lg px-3 py-1.5 text-sm transition"
  return <button type="button" className={`${shape} ${LOOKS[look]} ${className}`} {...rest} />
}
