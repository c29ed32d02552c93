import type { TabProps } from "../shell/tabs"

export default function PlanTab(_: TabProps) {
  return <div className="p-4" />
}
