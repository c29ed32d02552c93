import type { PageProps } from "../shell/pages"

export default function InboxPage(_: PageProps<"inbox">) {
  return <div className="p-6" />
}
