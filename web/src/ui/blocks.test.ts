import { expect, test } from "vitest"
import { html, reader } from "./blocks"

const TEXT = `# One

Some *words* and a list:

- a
- b

  more of b

* c

| x | y |
|---|---|
| 1 | 2 |

\`\`\`python
x = 1

y = 2
\`\`\`

1. first

2. second

Title
---
End.`
const whole = (text: string) => reader()(text).map(html).join("")

test("a text that comes letter by letter is read as if it had come at once", () => {
  const read = reader()
  for (let end = 1; end <= TEXT.length; end += 1) {
    const text = TEXT.slice(0, end)
    expect(read(text).map(html).join(""), text).toBe(whole(text))
  }
})

test("blocks that are closed are the very same ones, however much comes behind them", () => {
  const read = reader()
  const [first] = read(TEXT)
  expect(read(`${TEXT}\n\nAnd more.`)[0]).toBe(first)
})

test("a place in a file becomes a chip, in backticks and as a link, and a foreign picture only a link", () => {
  expect(whole("see `a/b.py:3`")).toContain('<code data-path="a/b.py" data-line="3">a/b.py:3</code>')
  expect(whole("see [the readme](README.md:3)")).toContain('the readme <code data-path="README.md" data-line="3">')
  expect(whole("![x](https://example.org/x.png)")).toContain('<a href="https://example.org/x.png">x</a>')
  expect(whole("`x < 1`")).toContain("<code>x &lt; 1</code>")
})
