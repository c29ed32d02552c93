import { expect, test, vi } from "vitest"
import { Parser, read, SILENCE_MS } from "./sse"

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

function answering(...pieces: Uint8Array[]): Response {
  const body = new ReadableStream<Uint8Array>({
    start(out) {
      for (const piece of pieces) out.enqueue(piece)
      out.close()
    },
  })
  return new Response(body)
}

test("a letter cut in two by the network arrives whole", async () => {
  const bytes = new TextEncoder().encode('event: custom\r\ndata: "Привет 🙂"\r\nid: 7\r\n\r\n')
  for (let at = 1; at < bytes.length; at++) {
    const found = []
    for await (const events of read(answering(bytes.slice(0, at), bytes.slice(at)))) found.push(...events)
    expect(found).toMatchObject([{ event: "custom", data: '"Привет 🙂"', id: "7" }])
  }
})

test("a stream that falls silent is hung up, as if it had ended", async () => {
  vi.useFakeTimers()
  const silent = new Response(new ReadableStream<Uint8Array>({ start: () => undefined }))
  const next = read(silent).next()
  await vi.advanceTimersByTimeAsync(SILENCE_MS + 1)
  expect((await next).done).toBe(true)
  vi.useRealTimers()
})
