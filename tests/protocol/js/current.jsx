// A page on the current hook, which speaks the streaming protocol: what it shows is what the test reads.

import { useState } from "react";
import { createRoot } from "react-dom/client";
import { useStream } from "@langchain/react";

const query = new URLSearchParams(location.search);

// Answers name their question. After a reload it is shown from the thread's state, but `respond()` alone finds
// only what the event stream has brought: a click that is faster fails with "No pending interrupt" (1.1.0).

function Page() {
  const [thread, setThread] = useState(query.get("thread"));
  const stream = useStream({
    apiUrl: query.get("api"),
    assistantId: query.get("assistant"),
    transport: query.get("transport") ?? "sse",
    threadId: thread,
    onThreadId: (id) => {
      setThread(id);
      query.set("thread", id);
      history.replaceState(null, "", `?${query}`);
    },
  });
  return (
    <main>
      <output id="state">{stream.isLoading ? "busy" : "quiet"}</output>
      <output id="error">{stream.error ? String(stream.error.message ?? stream.error) : ""}</output>
      <output id="interrupt">{stream.interrupt ? JSON.stringify(stream.interrupt.value) : ""}</output>
      <output id="values">{JSON.stringify(stream.values)}</output>
      <output id="tools">{stream.toolCalls.map((call) => call.name).join(" ")}</output>
      <ol id="messages">
        {stream.messages.map((message, place) => (
          <li key={message.id ?? place}>{`${message.type}: ${message.text}`}</li>
        ))}
      </ol>
      <button id="send" onClick={() => stream.submit(JSON.parse(query.get("input")))}>send</button>
      <button id="answer" onClick={() => stream.respond("yes", { interruptId: stream.interrupt.id })}>
        answer
      </button>
      <button id="stop" onClick={() => stream.stop()}>stop</button>
    </main>
  );
}

createRoot(document.body).render(<Page />);
