import { ApprovalCard } from "../approvals/ApprovalCard"
import { InboxPage } from "../inbox/InboxPage"
import { Link } from "./Link"

/** The inbox, with the cards of a conversation and links that stay within the page. */
export default function Inbox() {
  return (
    <InboxPage
      Link={Link}
      card={(asked, answer, resume) => <ApprovalCard asked={asked} place="" answer={answer} resume={resume} />}
    />
  )
}
