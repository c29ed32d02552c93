import { expect, test } from "vitest"
import { Parser } from "./sse"

const WIRE =
  ': heartbeat\r\n\r\nevent: metadata\r\ndata: {"run_id":"r"}\r\nid: 1\r\n\r\nevent: values\r\ndata: {"a":\r\ndata: 1}\r\nid: 2\r\n\r\n'

test("events are the same in however many pieces they arrive", () => {
  const whole = new Parser().feed(WIRE)
  for (const size of [1, 2, 3, 7, 50]) {
    const parser = new Parser()
    const pieces = WIRE.match(new RegExp(`[^]{1,${size}}`, "g")) ?? []
    expect(pieces.flatMap((piece) => parser.feed(piece))).toEqual(whole)
  }
  expect(whole).toEqual([
    { event: "metadata", data: '{"run_id":"r"}', id: "1" },
    { event: "values", data: '{"a":\n1}', id: "2" },
  ])
})

test("an event that has not ended is kept back", () => {
  expect(new Parser().feed("event: values\r\ndata: {}\r\n")).toEqual([])
})
