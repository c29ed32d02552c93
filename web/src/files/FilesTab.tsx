import type { TabProps } from "../shell/tabs"

export default function FilesTab(_: TabProps) {
  return <div className="p-4" />
}
