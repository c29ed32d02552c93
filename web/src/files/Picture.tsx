import { useState } from "react"
import { files } from "../api/files"
import { useLanguage } from "../i18n/language"
import { nameOf } from "./tree"
import { sentence } from "./useTree"

interface Props {
  thread: string
  path: string
  turn: string
}

/** A picture of the workspace; the server says why when there is none to show. */
export function Picture({ thread, path, turn }: Props) {
  const { say } = useLanguage()
  const [problem, setProblem] = useState("")
  const url = `${files.pictureUrl(thread, path)}&turn=${encodeURIComponent(turn)}`
  const ask = () =>
    fetch(url)
      .then(async (answer) => setProblem(answer.ok ? say("failed") : ((await answer.json()) as { detail: string }).detail))
      .catch((failure: unknown) => setProblem(sentence(failure)))
  if (problem)
    return (
      <p role="alert" className="p-4 text-sm text-bad">
        {problem}
      </p>
    )
  return (
    <div className="flex min-h-full items-center justify-center p-4">
      <img
        src={url}
        alt={nameOf(path)}
        onError={() => void ask()}
        className="max-h-full max-w-full rounded-lg bg-[repeating-conic-gradient(var(--panel)_0_25%,var(--raised)_0_50%)] bg-[length:16px_16px]"
      />
    </div>
  )
}
