import { expect, test } from "vitest"
import type { Json } from "../api/types"
import { draftOf, isMap, type Schema, shapeFrom, shapeOf, valueOf } from "./schema"

const TRIP: Schema = {
  type: "object",
  required: ["to", "nights", "class", "guests"],
  $defs: { Guest: { type: "object", required: ["name"], properties: { name: { type: "string" }, age: { type: "integer", minimum: 0 } } } },
  properties: {
    to: { type: "string", minLength: 2, pattern: "^[A-Z]" },
    nights: { type: "integer", minimum: 1, maximum: 30 },
    budget: { anyOf: [{ type: "number", exclusiveMinimum: 0 }, { type: "null" }], default: null },
    class: { enum: ["sea", "hill", 3] },
    quiet: { type: "boolean" },
    tags: { type: "array", items: { enum: ["a", "b", "c"] } },
    guests: { type: "array", minItems: 1, items: { $ref: "#/$defs/Guest" } },
    kind: { const: "trip" },
    more: {},
  },
}
const shape = shapeOf(TRIP)

/** The draft of `TRIP` with these fields filled in. */
function filled(fields: Schema): Json {
  const draft = draftOf(shape)
  if (!isMap(draft) || !isMap(draft["fields"])) throw new Error("no group")
  return { ...draft, fields: { ...draft["fields"], ...fields } }
}
const ada = { fields: { name: "Ada", age: "36" }, rest: {} }

test("each type of a schema has its field, and numbers come out as numbers", () => {
  const draft = filled({ to: "Rome", nights: "3", budget: "99,5", class: 2, quiet: true, tags: [0, 2], guests: [ada], more: '{"x": 1}' })
  expect(valueOf(shape, draft)).toEqual({
    value: {
      to: "Rome", nights: 3, budget: 99.5, class: 3, quiet: true, tags: ["a", "c"], guests: [{ name: "Ada", age: 36 }], kind: "trip", more: { x: 1 },
    },
    problems: [],
  })
})

test("what may be left out is left out, and what is missing is named with its place", () => {
  const { value, problems } = valueOf(shape, filled({}))
  expect(problems.map((one) => [one.path, one.word])).toEqual([
    ["to", "formMissing"],
    ["nights", "formMissing"],
    ["class", "formMissing"],
    ["guests.0.name", "formMissing"],
  ])
  expect(value).toEqual({ guests: [{}], kind: "trip" })
})

test.each([
  [{ nights: "2.5" }, "nights", "formWhole"],
  [{ nights: "many" }, "nights", "formNumber"],
  [{ nights: "0" }, "nights", "formLeast"],
  [{ nights: "31" }, "nights", "formMost"],
  [{ budget: "0" }, "budget", "formAbove"],
  [{ to: "x" }, "to", "formShort"],
  [{ to: "rome" }, "to", "formPattern"],
  [{ more: "{" }, "more", "notJson"],
  [{ guests: [] }, "guests", "formFew"],
])("%j is refused at %s: %s", (fields, path, word) => {
  const good: Schema = { to: "Rome", nights: "3", class: 0, guests: [ada] }
  expect(valueOf(shape, filled({ ...good, ...fields })).problems).toMatchObject([{ path, word }])
})

test("a group that may be left out asks for nothing until something of it is filled in", () => {
  const nested = shapeOf({ type: "object", properties: { who: { type: "object", required: ["name"], properties: { name: { type: "string" }, mail: { type: "string" } } } } })
  expect(valueOf(nested, draftOf(nested))).toEqual({ value: {}, problems: [] })
  const half = { fields: { who: { fields: { name: null, mail: "a@b" }, rest: {} } }, rest: {} }
  expect(valueOf(nested, half).problems).toMatchObject([{ path: "who.name", word: "formMissing" }])
})

test("of several cases the one that fits the value is filled in", () => {
  const cases = shapeOf({ oneOf: [{ type: "string" }, { type: "object", required: ["n"], properties: { n: { type: "number" } } }] })
  expect(valueOf(cases, draftOf(cases, { n: 4 }))).toEqual({ value: { n: 4 }, problems: [] })
  expect(valueOf(cases, draftOf(cases, "x"))).toEqual({ value: "x", problems: [] })
})

test("a schema that refers to itself ends", () => {
  const tree = shapeOf({ $ref: "#/$defs/T", $defs: { T: { type: "object", properties: { child: { $ref: "#/$defs/T" } } } } })
  expect(valueOf(tree, draftOf(tree)).problems).toEqual([])
})

test("arguments without a schema come back as they went in, whatever their types", () => {
  const args: Json = { text: "", n: 1.5, on: false, none: null, list: [1, { a: 2 }], deep: { x: "y", z: 0 }, empty: {} }
  const guessed = shapeFrom(args)
  expect(valueOf(guessed, draftOf(guessed, args), { blank: true })).toEqual({ value: args, problems: [] })
})

test("arguments that the schema does not name are kept", () => {
  const known = shapeOf({ type: "object", required: ["to"], properties: { to: { type: "string" } } })
  expect(valueOf(known, draftOf(known, { to: "a", extra: [1] }), { blank: true }).value).toEqual({ to: "a", extra: [1] })
})
