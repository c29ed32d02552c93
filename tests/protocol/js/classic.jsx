// A page on the classic hook: what it shows is what the test reads.

import { useState } from "react";
import { createRoot } from "react-dom/client";
import { useStream } from "sdk-v1/react";

const query = new URLSearchParams(location.search);

function Page() {
  const [thread, setThread] = useState(query.get("thread"));
  const stream = useStream({
    apiUrl: query.get("api"),
    assistantId: query.get("assistant"),
    threadId: thread,
    onThreadId: (id) => {
      setThread(id);
      query.set("thread", id);
      history.replaceState(null, "", `?${query}`);
    },
    reconnectOnMount: true,
    fetchStateHistory: true,
    messagesKey: "messages",
  });
  return (
    <main>
      <output id="state">{stream.isLoading ? "busy" : "quiet"}</output>
      <output id="error">{stream.error ? String(stream.error.message ?? stream.error) : ""}</output>
      <output id="interrupt">{stream.interrupt ? JSON.stringify(stream.interrupt.value) : ""}</output>
      <output id="values">{JSON.stringify(stream.values)}</output>
      <ol id="messages">
        {stream.messages.map((message) => (
          <li key={message.id}>{`${message.type}: ${typeof message.content === "string" ? message.content : JSON.stringify(message.content)}`}</li>
        ))}
      </ol>
      <button id="send" onClick={() => stream.submit(JSON.parse(query.get("input")), { streamResumable: true, onDisconnect: "continue" })}>send</button>
      <button id="answer" onClick={() => stream.submit(undefined, { command: { resume: "yes" } })}>answer</button>
      <button id="stop" onClick={() => stream.stop()}>stop</button>
    </main>
  );
}

createRoot(document.body).render(<Page />);
