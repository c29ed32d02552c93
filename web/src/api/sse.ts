import type { StreamEvent } from "./types"

/** Longest silence on a stream, in ms: the server's heartbeat comes every 5 s. */
export const SILENCE_MS = 30_000

/** Splits server-sent events out of text that arrives in any pieces; CRLF and LF, comments, many data lines. */
export class Parser {
  private rest = ""
  private event = ""
  private data: string[] = []
  private id = ""

  feed(text: string): StreamEvent[] {
    const found: StreamEvent[] = []
    const lines = (this.rest + text).split("\n")
    this.rest = lines.pop() ?? ""
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw
      if (line === "") {
        if (this.data.length) found.push({ event: this.event || "message", data: this.data.join("\n"), id: this.id })
        this.event = ""
        this.data = []
      } else if (!line.startsWith(":")) this.field(line)
    }
    return found
  }

  private field(line: string) {
    const colon = line.indexOf(":")
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "")
    if (name === "event") this.event = value
    else if (name === "data") this.data.push(value)
    else if (name === "id") this.id = value
  }
}

/** Yields batches of events as they arrive; ends with the stream or when it falls silent, throws when it breaks. */
export async function* read(response: Response): AsyncGenerator<StreamEvent[]> {
  if (!response.body) return
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  const parser = new Parser()
  const hangUp = () => void reader.cancel().catch(() => undefined)
  let watch = setTimeout(hangUp, SILENCE_MS)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      clearTimeout(watch)
      if (done) return
      watch = setTimeout(hangUp, SILENCE_MS)
      const at = Date.now()
      const events = parser.feed(decoder.decode(value, { stream: true })).map((one) => ({ ...one, at }))
      if (events.length) yield events
    }
  } finally {
    clearTimeout(watch)
    hangUp()
  }
}
