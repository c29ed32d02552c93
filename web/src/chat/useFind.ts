import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react"
import { found, type Row } from "./rows"

const TRIES = 30 // frames until a row that was far away is drawn
const MARKED = 300 // places in a message that are marked

/** Looking for words in a conversation: what was found, which one is shown, and how to go on. */
export function useFind(rows: Row[], scroller: React.RefObject<HTMLDivElement | null>, show: (place: number) => void) {
  const [words, setWords] = useState("")
  const [at, setAt] = useState(0)
  const wanted = useDeferredValue(words)
  const hits = useMemo(() => found(rows, wanted), [rows, wanted])
  const place = Math.min(at, Math.max(0, hits.length - 1))
  const hit = hits[place]
  const id = hit?.id ?? ""

  const shown = useRef(show)
  useEffect(() => {
    shown.current = show
  })
  const row = useRef(-1)
  useEffect(() => {
    row.current = hit?.row ?? -1
  }, [hit])
  useEffect(() => {
    if (!id) return
    shown.current(row.current)
    return marked(scroller, id, wanted.trim())
  }, [id, wanted, scroller])

  return {
    words,
    at: place,
    all: hits.length,
    id,
    look: (next: string) => {
      setWords(next)
      setAt(0)
    },
    step: (by: 1 | -1) => setAt(hits.length ? (place + by + hits.length) % hits.length : 0),
  }
}

/** Mark words in a message as soon as it is drawn. Returns what takes the marks away. */
function marked(scroller: React.RefObject<HTMLDivElement | null>, id: string, words: string): () => void {
  let frame = 0
  let tries = 0
  let drawn: HTMLElement | undefined
  const look = () => {
    const all = scroller.current?.querySelectorAll<HTMLElement>("[data-message]") ?? []
    drawn = [...all].find((one) => one.dataset["message"] === id)
    if (!drawn && ++tries < TRIES) {
      frame = requestAnimationFrame(look)
      return
    }
    drawn?.setAttribute("data-found", "")
    drawn?.scrollIntoView({ block: "nearest" })
    if (drawn && "highlights" in CSS) CSS.highlights.set("found", new Highlight(...ranges(drawn, words.toLocaleLowerCase())))
  }
  frame = requestAnimationFrame(look)
  return () => {
    cancelAnimationFrame(frame)
    drawn?.removeAttribute("data-found")
    if ("highlights" in CSS) CSS.highlights.delete("found")
  }
}

function ranges(within: HTMLElement, words: string): Range[] {
  const made: Range[] = []
  const walker = document.createTreeWalker(within, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node && made.length < MARKED; node = walker.nextNode()) {
    const text = (node.nodeValue ?? "").toLocaleLowerCase()
    for (let at = text.indexOf(words); at >= 0 && made.length < MARKED; at = text.indexOf(words, at + words.length)) {
      if (at + words.length > (node.nodeValue ?? "").length) break // a letter that is longer in lower case
      const range = new Range()
      range.setStart(node, at)
      range.setEnd(node, at + words.length)
      made.push(range)
    }
  }
  return made
}
