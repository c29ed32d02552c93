import type { PageProps } from "../shell/pages"

export default function SettingsPage(_: PageProps<"settings">) {
  return <div className="p-6" />
}
