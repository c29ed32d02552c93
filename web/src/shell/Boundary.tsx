import { Component, type ReactNode } from "react"
import { useLanguage } from "../i18n/language"
import { Button } from "../ui/Button"

interface Props {
  /** Another one begins anew. */
  of: string
  children: ReactNode
}

/** Holds a part of the page that cannot be fetched or drawn, so that the rest goes on. */
export class Boundary extends Component<Props, { failed: Error | null; of: string }> {
  override state: { failed: Error | null; of: string } = { failed: null, of: this.props.of }

  static getDerivedStateFromError(failed: unknown) {
    return { failed: failed instanceof Error ? failed : new Error(String(failed)) }
  }

  static getDerivedStateFromProps(props: Props, state: { of: string }) {
    return props.of === state.of ? null : { of: props.of, failed: null }
  }

  override render() {
    const { failed } = this.state
    return failed ? <Broken failed={failed} again={() => this.setState({ failed: null })} /> : this.props.children
  }
}

function Broken({ failed, again }: { failed: Error; again: () => void }) {
  const { say } = useLanguage()
  return (
    <div role="alert" className="m-4 space-y-2 rounded-xl border border-line bg-panel px-4 py-3 text-sm">
      <p>{say("partBroken")}</p>
      <p className="text-soft [overflow-wrap:anywhere]">{failed.message}</p>
      <Button onClick={again}>{say("retry")}</Button>
    </div>
  )
}
