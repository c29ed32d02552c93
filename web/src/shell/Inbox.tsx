import Deck from "../approvals/Deck"
import type { Decision } from "../api/types"
import { InboxPage } from "../inbox/InboxPage"
import { Link } from "./Link"

/** The inbox, with the cards of a conversation and links that stay within the page. */
export default function Inbox() {
  return (
    <InboxPage
      Link={Link}
      card={(asked, answer, resume) => (
        <Deck
          open={[asked]}
          assistant=""
          session={{
            answer: (one, decision) => answer(one, decision as Decision),
            resume: async (_assistant, _asked, value) => {
              await resume(value)
              return true
            },
            load: () => Promise.resolve(),
          }}
        />
      )}
    />
  )
}
