import { Marked, type Token } from "marked"
import { escaped, placeOf, isPicture } from "./places"

const md = new Marked({
  renderer: {
    codespan({ text }) {
      const place = placeOf(text)
      return place ? chip(place.path, place.line, text) : `<code>${escaped(text)}</code>`
    },
    link({ href, title, tokens }) {
      const label = this.parser.parseInline(tokens)
      const place = placeOf(href, true)
      if (!place) return `<a href="${escaped(href)}"${title ? ` title="${escaped(title)}"` : ""}>${label}</a>`
      const shown = place.line ? `${place.path}:${place.line}` : place.path
      return `${tokens.some((one) => one.raw.includes(shown)) ? "" : `${label} `}${chip(place.path, place.line, shown)}`
    },
    image({ href, text }) {
      if (isPicture(href)) return `<code data-picture="${escaped(href)}">${escaped(text)}</code>`
      const place = placeOf(href, true)
      return place ? chip(place.path, 0, place.path) : `<a href="${escaped(href)}">${escaped(text || href)}</a>`
    },
  },
})

function chip(path: string, line: number, shown: string): string {
  return `<code data-path="${escaped(path)}" data-line="${line || ""}">${escaped(shown)}</code>`
}

/** The HTML of a block: not safe yet, and what can be pressed is marked as `code` with data. */
export function html(token: Token): string {
  return md.parser([token])
}

const OPEN = 2 // blocks at the end that more text can still change: a bare `*` may yet become a list's

/** Reads a text that grows: of what it read before only the last blocks are read again. */
export function reader(): (text: string) => Token[] {
  let known = ""
  let blocks: Token[] = []
  return (given) => {
    const text = given.includes("\r") ? given.replace(/\r\n?/g, "\n") : given
    if (text === known) return blocks
    const closed = text.startsWith(known) ? blocks.slice(0, tail(blocks)) : []
    const length = closed.reduce((sum, one) => sum + one.raw.length, 0)
    blocks = [...closed, ...md.lexer(text.slice(length))]
    known = text
    return blocks
  }
}

/** Where the blocks begin that may still change. */
function tail(blocks: Token[]): number {
  let left = OPEN
  for (let place = blocks.length - 1; place >= 0; place -= 1) {
    if (blocks[place]?.type !== "space") left -= 1
    if (left === 0) return place
  }
  return 0
}
