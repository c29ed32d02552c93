import { expect, test } from "vitest"
import { contentOf, parted, withFiles, wordsOf } from "./attached"

const FILES = [
  { name: "a.csv", path: ".attachments/t/a.csv", bytes: 12 },
  { name: "фото-2.png", path: ".attachments/t/фото-2.png", bytes: 0 },
]

test("words and files come back as they were given, over the wire and in one string", () => {
  for (const words of ["Look", "", "two\n\nlines ", "- a (1 bytes)"]) {
    const said = withFiles(words, FILES)
    expect(parted(said)).toEqual({ text: words, files: FILES })
    expect(parted(wordsOf(contentOf(said)))).toEqual({ text: words, files: FILES })
  }
  expect(contentOf("plain")).toBe("plain")
})

test("a note that is not at the end, or of another form, is somebody's words", () => {
  for (const words of ["<attachments>\nx\n</attachments>", `${withFiles("", FILES)} and more`]) {
    expect(parted(words)).toEqual({ text: words, files: [] })
  }
})
