import type { AnchorHTMLAttributes } from "react"
import { go } from "./route"

/** A link within the page: a plain click stays in it, any other opens what the browser likes. */
export function Link({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  return (
    <a
      href={href}
      onClick={(event) => {
        onClick?.(event)
        if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
        event.preventDefault()
        go(href)
      }}
      {...rest}
    />
  )
}
