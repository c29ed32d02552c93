import type { TabProps } from "../shell/tabs"

export default function HistoryTab(_: TabProps) {
  return <div className="p-4" />
}
