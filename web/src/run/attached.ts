import type { Content } from "../api/types"

/** A file that a person gave to a conversation; `path` is from the workspace. */
export interface Attached {
  name: string
  path: string
  bytes: number
}

const NOTE = /(?:\n\n)?<attachments>\n[^\n]*\n((?:- [^\n]+ \(\d+ bytes\)\n)+)<\/attachments>\s*$/
const LINE = /^- (.+) \((\d+) bytes\)$/

/** Words with a note of the files that go with them, which every model can read. */
export function withFiles(words: string, files: readonly Attached[]): string {
  if (!files.length) return words
  const lines = files.map((one) => `- ${one.path} (${one.bytes} bytes)\n`).join("")
  const note = `<attachments>\nThe person attached these files; read_file reads them.\n${lines}</attachments>`
  return words ? `${words}\n\n${note}` : note
}

/** What was said without the note, and the files that it names. */
export function parted(said: string): { text: string; files: Attached[] } {
  const note = NOTE.exec(said)
  if (!note) return { text: said, files: [] }
  const files = (note[1] ?? "").split("\n").flatMap((line) => {
    const [, path = "", bytes = ""] = LINE.exec(line) ?? []
    return path ? [{ name: path.split("/").at(-1) ?? path, path, bytes: Number(bytes) }] : []
  })
  return { text: said.slice(0, note.index), files }
}

/** How it goes over the wire: what was said, and the note as a block of its own. */
export function contentOf(said: string): Content {
  const { text, files } = parted(said)
  if (!files.length) return said
  const note = { type: "text", text: withFiles("", files) }
  return text ? [{ type: "text", text }, note] : [note]
}

/** The text of a message, whatever its form. */
export function wordsOf(content: unknown): string {
  if (typeof content === "string") return content
  if (!Array.isArray(content)) return ""
  return content.map((block: { type?: string; text?: string }) => (block.type === "text" ? (block.text ?? "") : "")).join("")
}

/** What was said, as one line: the words, else the names of the files. */
export function inShort(said: string): string {
  const { text, files } = parted(said)
  return text || files.map((one) => one.name).join(", ")
}
