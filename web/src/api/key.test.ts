import { afterEach, expect, test, vi } from "vitest"
import { call } from "./client"
import { answered, forget, isKept, isWanted, keep, key } from "./key"

const sent: Headers[] = []
const answers = (status: number) =>
  vi.stubGlobal("fetch", (_: string, init: RequestInit) => {
    sent.push(new Headers(init.headers))
    return Promise.resolve(new Response(status === 200 ? "{}" : '{"detail":"say who you are"}', { status }))
  })

afterEach(() => {
  forget()
  sent.length = 0
  vi.unstubAllGlobals()
})

test("a key goes with every request, until it is forgotten", async () => {
  answers(200)
  keep({ value: "sesame", as: "x-api-key" }, false)
  await call("GET", "/api/v1/info")
  keep({ value: "sesame", as: "bearer" }, true)
  await call("GET", "/api/v1/info")
  forget()
  await call("GET", "/api/v1/info")
  expect(sent.map((one) => [one.get("X-Api-Key"), one.get("Authorization")])).toEqual([
    ["sesame", null],
    [null, "Bearer sesame"],
    [null, null],
  ])
})

test("a key stays in this tab unless it shall be kept", () => {
  keep({ value: "a", as: "bearer" }, false)
  expect([isKept(), key()?.value, localStorage.length]).toEqual([false, "a", 0])
  keep({ value: "b", as: "bearer" }, true)
  expect([isKept(), key()?.value, sessionStorage.length]).toEqual([true, "b", 0])
})

test("a server that wants a key is noticed, and that it takes one", async () => {
  answers(401)
  await expect(call("GET", "/threads")).rejects.toMatchObject({ status: 401, message: "say who you are" })
  expect(isWanted()).toBe(true)
  answered(200)
  expect(isWanted()).toBe(false)
})
