import { lazy, Suspense, useState } from "react"
import { done, toured, wished } from "../toured"

const Tour = lazy(() => import("../tour/Tour"))

interface Props {
  /** The conversation that is open; "": none. */
  open: string
  /** Whether there are no conversations yet. */
  fresh: boolean
  begin: (words: string) => Promise<string>
}

/** Shows round whoever is new here, or asked for it; who begins on their own is left alone. */
export function Touring({ open, fresh, begin }: Props) {
  const [begun, setBegun] = useState<string[]>([])
  const [asking, setAsking] = useState(false)
  const [, closed] = useState(0)
  const ours = open === "" || asking || begun.includes(open)
  const isNew = !toured() && (fresh || asking || begun.length > 0) && ours
  if (!isNew && !wished()) return null

  async function ask(words: string) {
    setAsking(true)
    try {
      const thread = await begin(words)
      setBegun((now) => [...now, thread])
    } finally {
      setAsking(false)
    }
  }
  const close = () => {
    done()
    closed((times) => times + 1)
  }
  return (
    <Suspense>
      <Tour ask={ask} close={close} />
    </Suspense>
  )
}
