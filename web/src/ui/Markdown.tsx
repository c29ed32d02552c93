import DOMPurify from "dompurify"
import type { Token } from "marked"
import { memo, useMemo, useState } from "react"
import { useLanguage } from "../i18n/language"
import { html, reader } from "./blocks"
import { Code } from "./Code"
import { isPicture } from "./places"
import { More, useSlice } from "./slices"

export type OpenFile = (path: string, line: number) => void

interface Props {
  text: string
  /** More text will come: its last block is not coloured yet. */
  open: boolean
  /** What a press on a place in a file does; without it the places stand there as code. */
  openFile?: OpenFile | undefined
}

const DRAWN = 40_000 // characters of a text that are read as markdown at once
const LONG = 20_000 // characters of one block: more is drawn as it is

/** Markdown, block by block: while text streams only its last ones are read and turned into HTML again. */
export const Markdown = memo(function Markdown({ text, open, openFile }: Props) {
  const [read] = useState(reader)
  const { shown, left, more } = useSlice(text, DRAWN, open)
  const blocks = useMemo(() => read(shown).filter((token) => token.type !== "space"), [read, shown])
  return (
    <div
      className="prose min-w-0 [overflow-wrap:anywhere]"
      onClick={(event) => pressed(event.target as HTMLElement, openFile)}
    >
      {blocks.map((token, index) =>
        token.type === "code" ? (
          <Code
            key={index}
            text={token["text"] as string}
            language={((token["lang"] as string | undefined) ?? "").split(/\s/)[0] ?? ""}
            open={open && index === blocks.length - 1}
          />
        ) : (
          <Block key={index} raw={token.raw} token={token} />
        ),
      )}
      <More left={left} more={more} />
    </div>
  )
})

/** Places in files and pictures are HTML: what they do is done here. */
function pressed(target: HTMLElement, openFile: OpenFile | undefined) {
  const button = target.closest<HTMLButtonElement>("button[data-path], button[data-picture]")
  if (!button) return
  const { path, line, picture } = button.dataset
  if (path) openFile?.(path, Number(line))
  if (!picture || !isPicture(picture)) return
  const image = new Image()
  image.src = picture
  image.alt = button.textContent
  button.replaceWith(image)
}

// No picture and no style from a model: both can call a foreign host.
const ALLOWED = {
  FORBID_TAGS: ["img", "style", "form", "input", "button", "textarea", "select", "video", "audio", "source", "iframe", "svg", "math"],
  FORBID_ATTR: ["style", "class", "id", "name", "role", "tabindex", "dir"],
}

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return
  node.setAttribute("target", "_blank")
  node.setAttribute("rel", "noopener noreferrer")
})

const PLACE = /<code data-path="([^"]*)" data-line="(\d*)">([^<]*)<\/code>/g
const PICTURE = /<code data-picture="([^"]*)">([^<]*)<\/code>/g

/** HTML that is safe to show, with buttons for what can be pressed. */
function safe(token: Token, load: string): string {
  return DOMPurify.sanitize(html(token), ALLOWED)
    .replace(PLACE, '<button type="button" class="place" data-path="$1" data-line="$2">$3</button>')
    .replace(PICTURE, `<button type="button" class="place" data-picture="$1">${load}: $2</button>`)
}

const Block = memo(
  function Block({ token }: { raw: string; token: Token }) {
    const { say } = useLanguage()
    const load = say("chatPicture")
    const long = token.raw.length > LONG
    const made = useMemo(() => (long ? "" : safe(token, load)), [token, long, load])
    if (long) {
      return (
        <div dir="auto" className="whitespace-pre-wrap">
          {token.raw}
        </div>
      )
    }
    return <div dir="auto" dangerouslySetInnerHTML={{ __html: made }} />
  },
  (before, after) => before.raw === after.raw,
)
