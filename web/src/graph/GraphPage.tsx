import type { PageProps } from "../shell/pages"

export default function GraphPage(_: PageProps<"graph">) {
  return <div className="p-6" />
}
