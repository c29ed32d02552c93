import { act, Component, type ReactNode, StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { beforeEach, expect, test } from "vitest"
import { later } from "./later"

const Part = ({ word }: { word: string }) => <b>{word}</b>
let place: HTMLElement

class Holder extends Component<{ children: ReactNode }, { failed: string }> {
  override state = { failed: "" }
  static getDerivedStateFromError = (failed: Error) => ({ failed: failed.message })
  override render() {
    const { failed } = this.state
    return failed ? <button onClick={() => this.setState({ failed: "" })}>{failed}</button> : this.props.children
  }
}

beforeEach(() => {
  ;(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true
  document.body.innerHTML = "<main></main>"
  place = document.querySelector("main") as HTMLElement
})

const draw = (what: ReactNode) => act(async () => createRoot(place).render(<StrictMode>{what}</StrictMode>))

test("something stands in its place until it has come", async () => {
  let come: () => void = () => undefined
  const Later = later(() => new Promise<{ default: typeof Part }>((done) => (come = () => done({ default: Part }))), <i />)
  await draw(<Later word="here" />)
  expect(place.innerHTML).toBe("<i></i>")
  await act(async () => come())
  expect(place.innerHTML).toBe("<b>here</b>")
})

test("what was fetched before is drawn at once, and fetched once", async () => {
  let times = 0
  const Later = later(async () => ((times += 1), { default: Part }))
  await Promise.all([Later.fetch(), Later.fetch()])
  await draw(
    <>
      <Later word="one" />
      <Later word="two" />
    </>,
  )
  expect(place.innerHTML).toBe("<b>one</b><b>two</b>")
  expect(times).toBe(1)
})

test("what could not be fetched is told, and asked for again", async () => {
  let works = false
  const Later = later(async () => {
    if (!works) throw new Error("no way there")
    return { default: Part }
  })
  await draw(
    <Holder>
      <Later word="here" />
    </Holder>,
  )
  expect(place.textContent).toContain("no way there")
  works = true
  await act(async () => place.querySelector("button")?.click())
  expect(place.innerHTML).toBe("<b>here</b>")
})
