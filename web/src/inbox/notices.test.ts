import { expect, test } from "vitest"
import type { Ended, Waiting } from "../api/inbox"
import type { WhatWaits } from "../run/waiting"
import { newsOf } from "./notices"

const waits = (ids: string[], runs: string[] = []): WhatWaits => ({
  waiting: ids.map((id) => ({ approval_id: id }) as Waiting),
  ended: runs.map((id) => ({ run_id: id }) as Ended),
  more: false,
  known: true,
  failed: "",
})

test("news is what was not there at the last look", () => {
  const news = newsOf(waits(["a"], ["r"]), waits(["b", "a"], ["s", "r"]))
  expect(news.waiting.map((one) => one.approval_id)).toEqual(["b"])
  expect(news.ended.map((one) => one.run_id)).toEqual(["s"])
})

test("what the first look finds is no news", () => {
  expect(newsOf({ ...waits([]), known: false }, waits(["a"], ["r"]))).toEqual({ waiting: [], ended: [] })
})
